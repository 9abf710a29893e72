"""The two networks of TensorFlow's DCGAN tutorial, extended to larger pictures.

The tutorial draws 28x28 digits from a dense 7x7x256 start; here the start is 8x8, and each doubling
of the image adds one block at the small end: 8x8x256 for 64 px, 8x8x512 for 128. D, which the
tutorial ends at 7x7, ends at 8x8. Initial weights and batch norm are Keras' defaults.
With stride 2 on an even size, the padding of one side is a row wider: in PyTorch the first side, in
TensorFlow the last, so these networks are mirror images of TensorFlow's.
"""

from torch import Tensor, nn

EPSILON = 1e-3  # of Keras' batch norm
MOMENTUM = 0.01  # of Keras' batch norm, where it is written as 0.99


def doublings(image_size: int, *channels: int) -> int:
    """How many times 8x8 doubles until it has the size of the image."""
    if image_size < 16 or image_size.bit_count() != 1:
        raise ValueError(
            f"image_size is {image_size}, but this network needs a power of two from 16 up: "
            "16, 32, 64, 128, 256"
        )
    if min(channels) < 1:
        raise ValueError("base_channels and max_channels must be 1 or more")
    return image_size.bit_length() - 4


def init_weights(module: nn.Module) -> None:
    """Keras' default: weights uniform after Glorot, biases 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1].

    2,749,216 parameters for 64 px at base_channels=32, the channels of the last map; 128 px:
    7,697,696.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_dim: int = 100,
        base_channels: int = 32,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        times = doublings(image_size, base_channels, max_channels)
        maps = [min(base_channels * 2**power, max_channels) for power in reversed(range(times + 1))]
        wide, narrow, *others = maps
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, wide * 8 * 8, bias=False),
            nn.BatchNorm1d(wide * 8 * 8, EPSILON, MOMENTUM),
            nn.LeakyReLU(0.3, inplace=True),
            nn.Unflatten(1, (wide, 8, 8)),
            nn.ConvTranspose2d(wide, narrow, 5, padding=2, bias=False),  # stays 8x8
            nn.BatchNorm2d(narrow, EPSILON, MOMENTUM),
            nn.LeakyReLU(0.3, inplace=True),
        ]
        wide = narrow
        for narrow in others:  # (wide, s, s) -> (narrow, 2s, 2s)
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
    """Images (N, channels, image_size, image_size) -> logits (N,).

    1,045,633 parameters for 64 px at base_channels=64, the channels of the first map; 128 px:
    4,339,329. No batch norm.

    dropout: the probability that a number inside D is dropped, after every layer.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        base_channels: int = 64,
        max_channels: int = 512,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError("dropout must be 0 or more and less than 1")
        layers: list[nn.Module] = []
        narrow = channels
        for power in range(doublings(image_size, base_channels, max_channels)):
            wide = min(base_channels * 2**power, max_channels)
            layers += [  # (narrow, s, s) -> (wide, s / 2, s / 2), down to 8x8
                nn.Conv2d(narrow, wide, 5, stride=2, padding=2),
                nn.LeakyReLU(0.3, inplace=True),
                nn.Dropout(dropout),
            ]
            narrow = wide
        layers += [nn.Flatten(), nn.Linear(narrow * 8 * 8, 1)]
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()
