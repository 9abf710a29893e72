"""The two networks of MathWorks' example "Train Generative Adversarial Network (GAN)".

Kernels of 5x5 instead of DCGAN's 4x4, z projected by a dense layer, biases everywhere. Written for
any power-of-two image size from 16 up: each doubling of the image adds one block.
With stride 2 on an even size, the padding of one side is a row wider: in PyTorch the first side, in
MATLAB and TensorFlow the last, so these networks are mirror images of theirs.
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
    """Weights ~ N(0, 0.02), biases 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1].

    5,134,339 parameters for 64 px at base_channels=64.

    start: how the 4x4 map becomes 8x8. `uncropped`: stride 1 without cropping, as in MathWorks'
    example; `stride-2`: like all later layers. Both have the same weights.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_dim: int = 100,
        base_channels: int = 64,
        max_channels: int = 512,
        start: str = "uncropped",
    ) -> None:
        super().__init__()
        if start not in ("uncropped", "stride-2"):
            raise ValueError("start must be uncropped or stride-2")
        wide, *others = map_channels(image_size, base_channels, max_channels)
        layers: list[nn.Module] = [  # project and reshape: z -> (wide, 4, 4)
            nn.Linear(latent_dim, wide * 4 * 4),
            nn.Unflatten(1, (wide, 4, 4)),
        ]
        for number, narrow in enumerate(others):  # (wide, s, s) -> (narrow, 2s, 2s)
            uncropped = number == 0 and start == "uncropped"  # 4 - 1 + 5 = 8
            layers += [
                nn.ConvTranspose2d(wide, narrow, 5) if uncropped else upsample_x2(wide, narrow),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
            wide = narrow
        layers += [upsample_x2(wide, channels), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


def upsample_x2(wide: int, narrow: int) -> nn.ConvTranspose2d:
    """(wide, s, s) -> (narrow, 2s, 2s): 2 (s - 1) + 5 = 2s + 3, less two rows and one."""
    return nn.ConvTranspose2d(wide, narrow, 5, stride=2, padding=2, output_padding=1)


class Discriminator(nn.Module):
    """Images (N, channels, image_size, image_size) -> logits (N,).

    4,316,545 parameters for 64 px at base_channels=64. No batch norm on the first layer. The
    dropout on D's input of the published recipe is the trick `dropout-d`.

    head: `conv` is a 4x4 convolution, `dense` a dense layer on the flattened 4x4 map. They
    compute the same function of the same weights; two runs with them differ only by chance.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        base_channels: int = 64,
        max_channels: int = 512,
        head: str = "conv",
    ) -> None:
        super().__init__()
        if head not in ("conv", "dense"):
            raise ValueError("head must be conv or dense")
        first, *others = reversed(map_channels(image_size, base_channels, max_channels))
        layers: list[nn.Module] = [  # the image -> (first, image_size / 2, image_size / 2)
            nn.Conv2d(channels, first, 5, stride=2, padding=2),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        narrow = first
        for wide in others:  # (narrow, s, s) -> (wide, s / 2, s / 2), down to 4x4
            layers += [
                nn.Conv2d(narrow, wide, 5, stride=2, padding=2),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            narrow = wide
        if head == "conv":
            layers.append(nn.Conv2d(narrow, 1, 4))  # 4x4 -> one number
        else:
            layers += [nn.Flatten(), nn.Linear(narrow * 4 * 4, 1)]
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()
