"""The two networks of FastGAN (Liu et al. 2021, arXiv 2101.04775), for few pictures at 128-256 px.

The channels of a map depend on its size, not on the size of the image: a larger image adds blocks
with few channels. Skip-layer excitation (SLE) multiplies each channel of a large map by one number,
computed from a map 16 times smaller, where G decides what the picture shows. It is cheap, and the
gradient reaches the small map without the layers between.

Parts of the paper that are missing here:
- D as an autoencoder. In the paper, small decoders reconstruct real pictures from D's maps, and the
  reconstruction error is added to D's loss. gankit's discriminators only return logits, and the
  error is measured by a third network, trained on ImageNet.
- Noise inside G (without it, one z is always one picture), and spectral norm in G.
- D's second, smaller branch.
D's spectral norm and the augmentation are tricks: `spectral-norm`, `diffaugment`.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

G_WIDTHS = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 1 / 2, 512: 1 / 4, 1024: 1 / 8}
SLE = 16  # a map sets the factors of the map that is 16 times as large


def first_map(image_size: int | tuple[int, int]) -> tuple[int, int, int]:
    """Height and width of the first map, and how often it doubles until it is the picture.

    Its shorter side is 4, 5, 6 or 7. `image_size` is the side of a square, or (height, width).
    """
    height, width = image_size if isinstance(image_size, tuple) else (image_size, image_size)
    shorter, longer = sorted((height, width))
    doublings = max(2, (shorter // 4).bit_length() - 1)
    unit = 2**doublings
    if shorter < 16 or longer > 4 * shorter or height % unit or width % unit:
        raise ValueError(
            f"image_size is {width}x{height}, but this network needs sides of 16 px or more that "
            f"are multiples of {unit}, the longer one at most 4 times the shorter"
        )
    return height // unit, width // unit, doublings


def feature_map_sides(doublings: int) -> list[int]:
    """The sides of the feature maps in px, from 8 up, if the first one is 4x4: 8, 16, 32, ...

    If it is larger, so are all others; their channels are the same.
    """
    sides = [4 * 2**power for power in range(1, doublings + 1)]
    if sides[-1] not in G_WIDTHS:
        raise ValueError("image_size is too large: the shorter side may have at most 1792 px")
    return sides


def check_width(base_channels: int) -> None:
    if base_channels < 1:
        raise ValueError("base_channels must be 1 or more")


def init_generator(module: nn.Module) -> None:
    """Convolutions ~ N(0, 0.02), as in DCGAN; batch norm after each makes up for the scale."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)


def init_discriminator(module: nn.Module) -> None:
    """Convolutions after He et al.; with DCGAN's smaller weights, thin maps would vanish."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=0.2)


class Gate(nn.Module):
    """GLU: (N, 2 C, H, W) -> (N, C, H, W), half of the channels times the sigmoid of the rest.

    Not nn.GLU, whose gradient loses channels_last and takes five times as long on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        values, gates = x.chunk(2, dim=1)
        return values * torch.sigmoid(gates)


def gated_layers(convolution: nn.Module, narrow: int) -> list[nn.Module]:
    """A convolution to 2 * `narrow` channels, batch norm, and a gate that halves them."""
    return [convolution, nn.BatchNorm2d(2 * narrow), Gate()]


def upsample_block(wide: int, narrow: int, twice: bool) -> nn.Sequential:
    """(wide, h, w) -> (narrow, 2h, 2w)."""
    layers: list[nn.Module] = [nn.Upsample(scale_factor=2, mode="nearest")]
    layers += gated_layers(nn.Conv2d(wide, 2 * narrow, 3, padding=1, bias=False), narrow)
    if twice:
        layers += gated_layers(nn.Conv2d(narrow, 2 * narrow, 3, padding=1, bias=False), narrow)
    return nn.Sequential(*layers)


class Excitation(nn.Module):
    """Skip-layer excitation: the large map (N, C, H, W) times a factor in (0, 1) per channel.

    The factors come from the small map, averaged to the size of the first one, 4x4 for 128 px,
    through a convolution of that size.
    """

    def __init__(self, small: int, large: int, first: tuple[int, int]) -> None:
        super().__init__()
        self.first = first  # height, width
        self.factors = nn.Sequential(
            nn.Conv2d(small, large, first, bias=False),  # (small, *first) -> (large, 1, 1)
            nn.SiLU(),
            nn.Conv2d(large, large, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        return large * self.factors(adaptive_avg_pool2d(small, self.first))


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    At base_channels=16 with latent_dim=256: 3,385,264 parameters for 128 px, 3,395,640 for 256.
    The authors' width is base_channels=64: 29 million, and 16 times the work.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 128,
        channels: int = 3,
        latent_dim: int = 256,
        base_channels: int = 16,
    ) -> None:
        super().__init__()
        check_width(base_channels)
        height, across, doublings = first_map(image_size)
        first = (height, across)
        maps = feature_map_sides(doublings)
        width = {size: max(1, int(base_channels * times)) for size, times in G_WIDTHS.items()}
        start = nn.ConvTranspose2d(latent_dim, 2 * width[4], first, bias=False)
        # z as a 1x1 image -> (width, *first)
        self.start = nn.Sequential(*gated_layers(start, width[4]))
        self.blocks = nn.ModuleDict()
        self.excitations = nn.ModuleDict()
        for number, size in enumerate(maps):  # every other block convolves twice
            block = upsample_block(width[size // 2], width[size], twice=number % 2 == 0)
            self.blocks[str(size)] = block
            if size // SLE >= 4:
                self.excitations[str(size)] = Excitation(width[size // SLE], width[size], first)
        self.last = nn.Conv2d(width[maps[-1]], channels, 3, padding=1, bias=False)
        self.apply(init_generator)

    def forward(self, z: Tensor) -> Tensor:
        x = self.start(z[:, :, None, None])
        maps = {"4": x}
        for size, block in self.blocks.items():
            x = block(x)
            if size in self.excitations:
                x = self.excitations[size](maps[str(int(size) // SLE)], x)
            maps[size] = x
        return torch.tanh(self.last(x))


class Down(nn.Module):
    """(narrow, h, w) -> (wide, h / 2, w / 2): the mean of two convolutions and of a shortcut."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(wide, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.short = nn.Sequential(
            nn.AvgPool2d(2),
            nn.Conv2d(narrow, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(0.2, inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.main(x) + self.short(x)) / 2


class Discriminator(nn.Module):
    """Images (N, channels, height, width) -> logits (N,).

    At base_channels=16: 419,832 parameters for 128 px, 420,892 for 256. The last map gives 5x5
    logits, each for a part of the picture; their mean is the logit of the picture.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 128,
        channels: int = 3,
        base_channels: int = 16,
    ) -> None:
        super().__init__()
        check_width(base_channels)
        _, _, doublings = first_map(image_size)
        full, *maps = reversed(feature_map_sides(doublings))
        narrow = max(1, base_channels * 64 // full)
        layers: list[nn.Module] = [  # the image -> (narrow, height, width)
            nn.Conv2d(channels, narrow, 3, padding=1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for size in maps:  # down to 8x8 for 128 px
            wide = max(1, base_channels * 64 // size)
            layers.append(Down(narrow, wide))
            narrow = wide
        layers += [
            nn.Conv2d(narrow, 2 * narrow, 1, bias=False),
            nn.BatchNorm2d(2 * narrow),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * narrow, 1, 4, bias=False),  # 8x8 -> 5x5 for 128 px
        ]
        self.main = nn.Sequential(*layers)
        self.apply(init_discriminator)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).mean(dim=(1, 2, 3))
