"""Two residual networks without normalisation, after R3GAN (Huang et al. 2025, arXiv 2501.05441).

A block adds a small change to what comes in, and at first no change at all; between blocks, maps
are resampled without weights. No layer looks across the batch, so a picture does not depend on its
neighbours and D's slope is its own: these networks are made for loss `relativistic`, which needs
its slope held down, by trick `r1` on real pictures and by `r2` on fakes.

Changed for computing on a CPU:
- The 3x3 convolution of a block is not split into groups and works on as many channels as come in,
  where the paper widens to twice as many in groups of 16. Both took the same time here, but the
  groups hold half the weights.
- Nothing is computed at the image's own size: one 4x4 convolution leads to half of it and back, as
  in DCGAN. One block for each size instead of two; `blocks` changes that.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

SLOPE = 0.2  # of leaky ReLU
Layer = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through a convolution and leaky ReLU


def widths(image_size: int, base_channels: int, max_channels: int, blocks: int) -> list[int]:
    """Channels of the feature maps from 4x4 up to image_size / 2: doubled towards the small end."""
    steps = image_size.bit_length() - 3  # maps at 4, 8, ..., image_size / 2
    if image_size < 16 or image_size != 2 ** (steps + 2):
        raise ValueError(
            f"image_size {image_size} does not suit: these networks make powers of two from 16 up "
            "(16, 32, 64, 128, 256)"
        )
    if min(base_channels, max_channels, blocks) < 1:
        raise ValueError("base_channels, max_channels and blocks must be 1 or more")
    return [min(base_channels * 2**power, max_channels) for power in reversed(range(steps))]


def scaled(layer: Layer, fan_in: int, gain: float = 1.0) -> nn.Module:
    """The layer with weights ~ N(0, gain / sqrt(fan_in)), so that variance stays; biases 0."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """(wide, s, s) -> the same: x plus a change, of convolutions 1x1, 3x3 and 1x1.

    depth: how many blocks the network has; the more, the smaller each begins (Fixup, Zhang et al.
    2019, arXiv 1901.09321).
    """

    def __init__(self, wide: int, depth: int) -> None:
        super().__init__()
        gain = GAIN * depth ** (-1 / 4)  # depth^(-1 / (2m - 2)) for m = 3 layers
        self.mix = scaled(nn.Conv2d(wide, wide, 1), wide, gain)
        self.look = scaled(nn.Conv2d(wide, wide, 3, padding=1), 9 * wide, gain)
        # No change at first. Not quite 0, which spectral normalisation could not divide.
        self.back = scaled(nn.Conv2d(wide, wide, 1, bias=False), wide, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        change = leaky_relu(self.mix(x), SLOPE)
        change = leaky_relu(self.look(change), SLOPE)
        return x + self.back(change)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1].

    At base_channels=24 with latent_dim=64: 579,984 parameters for 64 px, 1,355,664 for 128,
    2,142,608 for 256. z weighs 4x4 patterns, one for each channel, which are learnt.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_dim: int = 64,
        base_channels: int = 24,
        max_channels: int = 256,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        maps = widths(image_size, base_channels, max_channels, blocks)
        depth = len(maps) * blocks
        self.patterns = nn.Parameter(torch.randn(maps[0], 4, 4))
        self.weigh = scaled(nn.Linear(latent_dim, maps[0], bias=False), latent_dim)
        layers: list[nn.Module] = [Block(maps[0], depth) for _ in range(blocks)]
        for wide, narrow in pairwise(maps):  # (wide, s, s) -> (narrow, 2s, 2s)
            layers += [
                scaled(nn.Conv2d(wide, narrow, 1, bias=False), wide),
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                *(Block(narrow, depth) for _ in range(blocks)),
            ]
        last = nn.ConvTranspose2d(maps[-1], channels, 4, 2, 1, bias=False)
        layers.append(scaled(last, 4 * maps[-1]))  # 4 of its 16 weights meet in a pixel
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        start = self.weigh(z)[:, :, None, None] * self.patterns  # (N, wide, 4, 4)
        return torch.tanh(self.main(start))


class Discriminator(nn.Module):
    """Images (N, channels, image_size, image_size) -> logits (N,).

    At base_channels=24: 567,888 parameters for 64 px, 1,339,536 for 128, 2,126,480 for 256. No
    normalisation.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        base_channels: int = 24,
        max_channels: int = 256,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        maps = widths(image_size, base_channels, max_channels, blocks)[::-1]
        depth = len(maps) * blocks
        first = nn.Conv2d(channels, maps[0], 4, 2, 1, bias=False)  # -> (narrow, size / 2, size / 2)
        layers: list[nn.Module] = [scaled(first, 16 * channels)]
        layers += [Block(maps[0], depth) for _ in range(blocks)]
        for narrow, wide in pairwise(maps):  # (narrow, s, s) -> (wide, s/2, s/2)
            layers += [
                nn.AvgPool2d(2),
                scaled(nn.Conv2d(narrow, wide, 1, bias=False), narrow),
                *(Block(wide, depth) for _ in range(blocks)),
            ]
        wide = maps[-1]
        layers += [
            scaled(nn.Conv2d(wide, wide, 4, groups=wide, bias=False), 16),  # each 4x4 map -> 1x1
            nn.Flatten(),
            scaled(nn.Linear(wide, 1, bias=False), wide),
        ]
        self.main = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()
