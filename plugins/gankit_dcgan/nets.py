"""The two networks of DCGAN (Radford, Metz & Chintala 2015, arXiv 1511.06434).

Written for any power-of-two image size from 16 up: each doubling of the image adds one block.
With 64 px and 64 base channels they are the networks of PyTorch's DCGAN example.
"""

from torch import Tensor, nn


def map_channels(image_size: int, base_channels: int, max_channels: int) -> list[int]:
    """Channels of the feature maps from 4x4 up to image_size / 2: doubled towards the small end."""
    if image_size < 16 or image_size.bit_count() != 1:
        raise ValueError(
            f"image_size is {image_size}, but this network needs a power of two from 16 up: "
            "16, 32, 64, 128, 256"
        )
    if base_channels < 1 or max_channels < 1:
        raise ValueError("base_channels and max_channels must be 1 or more")
    maps = image_size.bit_length() - 3  # of sides 4, 8, ..., image_size / 2
    return [min(base_channels * 2**power, max_channels) for power in reversed(range(maps))]


def init_weights(module: nn.Module) -> None:
    """Convolutions ~ N(0, 0.02), batch norm scale ~ N(1, 0.02), as in the paper's code."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1].

    3,576,704 parameters for 64 px at base_channels=64. Each smaller map has twice the channels, up
    to max_channels. Without a limit (max_channels=1024 for 128 px, 2048 for 256) the parameters
    are 12,786,560 and 47,983,488.

    base_channels: channels of the last map.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_dim: int = 100,
        base_channels: int = 64,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        first, *others = map_channels(image_size, base_channels, max_channels)
        layers: list[nn.Module] = [  # z as a 1x1 image -> (first, 4, 4)
            nn.ConvTranspose2d(latent_dim, first, 4, 1, 0, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        ]
        wide = first
        for narrow in others:  # (wide, s, s) -> (narrow, 2s, 2s)
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
            wide = narrow
        layers += [nn.ConvTranspose2d(wide, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z[:, :, None, None])


class Discriminator(nn.Module):
    """Images (N, channels, image_size, image_size) -> logits (N,).

    2,765,568 parameters for 64 px at base_channels=64; without a limit 11,164,416
    for 128 px and 44,739,328 for 256. No batch norm on the first layer.

    base_channels: channels of the first map.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        base_channels: int = 64,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        first, *others = reversed(map_channels(image_size, base_channels, max_channels))
        layers: list[nn.Module] = [  # the image -> (first, image_size / 2, image_size / 2)
            nn.Conv2d(channels, first, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        narrow = first
        for wide in others:  # (narrow, s, s) -> (wide, s / 2, s / 2), down to 4x4
            layers += [
                nn.Conv2d(narrow, wide, 4, 2, 1, bias=False),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            narrow = wide
        layers.append(nn.Conv2d(narrow, 1, 4, 1, 0, bias=False))  # 4x4 -> one number
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()
