"""The two networks of TensorFlow's DCGAN tutorial, extended to larger pictures.

The tutorial draws 28x28 digits from a dense 7x7x256 start; here the start is 8x8, or of the shape
of an oblong picture, and each doubling of the image adds one block at the small end: 8x8x256 for 64
px, 8x8x512 for 128. D, which the tutorial ends at 7x7, ends at 8x8. Initial weights and batch norm
are Keras' defaults.
With stride 2 on an even size, the padding of one side is a row wider: in PyTorch the first side, in
TensorFlow the last, so these networks are mirror images of TensorFlow's.
"""

from torch import Tensor, nn

EPSILON = 1e-3  # of Keras' batch norm
MOMENTUM = 0.01  # of Keras' batch norm, where it is written as 0.99


def first_map(image_size: int | tuple[int, int]) -> tuple[int, int, int]:
    """Height and width of the first map, and how often it doubles until it is the picture.

    Its shorter side is 8, 10, 12 or 14. `image_size` is the side of a square, or (height, width).
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
    return 2 * height // unit, 2 * width // unit, doublings - 1


def require_channels(*channels: int) -> None:
    """ValueError unless each is 1 or more."""
    if min(channels) < 1:
        raise ValueError("base_channels and max_channels must be 1 or more")


def init_weights(module: nn.Module) -> None:
    """Keras' default: weights uniform after Glorot, biases 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    2,749,216 parameters for 64 px at base_channels=32, the channels of the last map; 128 px:
    7,697,696.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        latent_dim: int = 100,
        base_channels: int = 32,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        require_channels(base_channels, max_channels)
        height, width, doublings = first_map(image_size)
        powers = reversed(range(doublings + 1))
        maps = [min(base_channels * 2**power, max_channels) for power in powers]
        pixels = height * width
        wide, narrow, *others = maps
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, wide * pixels, bias=False),
            nn.BatchNorm1d(wide * pixels, EPSILON, MOMENTUM),
            nn.LeakyReLU(0.3, inplace=True),
            nn.Unflatten(1, (wide, height, width)),
            nn.ConvTranspose2d(wide, narrow, 5, padding=2, bias=False),  # stays as large
            nn.BatchNorm2d(narrow, EPSILON, MOMENTUM),
            nn.LeakyReLU(0.3, inplace=True),
        ]
        wide = narrow
        for narrow in others:  # (wide, h, w) -> (narrow, 2h, 2w)
            layers += [
                upsample_x2(wide, narrow),
                nn.BatchNorm2d(narrow, EPSILON, MOMENTUM),
                nn.LeakyReLU(0.3, inplace=True),
            ]
            wide = narrow
        layers += [upsample_x2(wide, channels), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


def upsample_x2(wide: int, narrow: int) -> nn.ConvTranspose2d:
    """(wide, s, s) -> (narrow, 2s, 2s): 2 (s - 1) + 5 = 2s + 3, less two rows and one."""
    return nn.ConvTranspose2d(wide, narrow, 5, 2, padding=2, output_padding=1, bias=False)


class Discriminator(nn.Module):
    """Images (N, channels, height, width) -> logits (N,).

    1,045,633 parameters for 64 px at base_channels=64, the channels of the first map; 128 px:
    4,339,329. No batch norm.

    dropout: the probability that a number inside D is dropped, after every layer.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        base_channels: int = 64,
        max_channels: int = 512,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError("dropout must be 0 or more and less than 1")
        require_channels(base_channels, max_channels)
        height, width, doublings = first_map(image_size)
        layers: list[nn.Module] = []
        narrow = channels
        for power in range(doublings):
            wide = min(base_channels * 2**power, max_channels)
            layers += [  # (narrow, h, w) -> (wide, h / 2, w / 2), down to 8x8 for 64 px
                nn.Conv2d(narrow, wide, 5, stride=2, padding=2),
                nn.LeakyReLU(0.3, inplace=True),
                nn.Dropout(dropout),
            ]
            narrow = wide
        layers += [nn.Flatten(), nn.Linear(narrow * height * width, 1)]
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()
