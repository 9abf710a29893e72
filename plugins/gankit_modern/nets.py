"""Two residual networks without normalisation, after R3GAN (Huang et al. 2025, arXiv 2501.05441).

A residual block adds a small change to its input, and almost none at the start of training. Between
blocks, maps are resampled without weights. No layer looks across the batch, so D's logit and its
gradient at a picture do not depend on the other pictures. These networks are made for the loss
`relativistic`, which needs gradient penalties: trick `r1` at real pictures and `r2` at fakes.

Changed to compute faster on a CPU:

- The 3x3 convolution of a block has no groups and keeps the number of channels. The paper uses
  twice the channels in groups of 16. Both took the same time here, but the groups have half the
  weights.
- No layer works at the full image size: one 4x4 convolution goes to half of it, and one comes back,
  as in DCGAN. One block for each size instead of two; `blocks` changes that.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

SLOPE = 0.2  # of leaky ReLU
Layer = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through a convolution and leaky ReLU


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


def map_channels(maps: int, base_channels: int, max_channels: int, blocks: int) -> list[int]:
    """Channels of the feature maps, from the smallest to the largest: doubled the other way."""
    if min(base_channels, max_channels, blocks) < 1:
        raise ValueError("base_channels, max_channels and blocks must be 1 or more")
    return [min(base_channels * 2**power, max_channels) for power in reversed(range(maps))]


def init_scaled(layer: Layer, fan_in: int, gain: float = 1.0) -> nn.Module:
    """The layer with weights ~ N(0, gain / sqrt(fan_in)), which keep the variance; biases 0."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """(wide, h, w) -> (wide, h, w): x plus a residual of convolutions 1x1, 3x3 and 1x1.

    depth: the blocks in the network; the more there are, the smaller the initial weights (Fixup,
    Zhang et al. 2019, arXiv 1901.09321).
    """

    def __init__(self, wide: int, depth: int) -> None:
        super().__init__()
        gain = GAIN * depth ** (-1 / 4)  # depth^(-1 / (2m - 2)) for m = 3 layers
        self.mix = init_scaled(nn.Conv2d(wide, wide, 1), wide, gain)
        self.look = init_scaled(nn.Conv2d(wide, wide, 3, padding=1), 9 * wide, gain)
        # Nearly no residual at the start. Not 0, which spectral norm could not normalise.
        self.back = init_scaled(nn.Conv2d(wide, wide, 1, bias=False), wide, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        residual = leaky_relu(self.mix(x), SLOPE)
        residual = leaky_relu(self.look(residual), SLOPE)
        return x + self.back(residual)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    At base_channels=24 with latent_dim=64: 579,984 parameters for 64 px, 1,355,664 for 128,
    2,142,608 for 256. z sets the weight of small patterns, 4x4 for 64 px, one for each channel,
    which are learnt.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        latent_dim: int = 64,
        base_channels: int = 24,
        max_channels: int = 256,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        height, width, doublings = first_map(image_size)
        maps = map_channels(doublings, base_channels, max_channels, blocks)
        depth = len(maps) * blocks
        self.patterns = nn.Parameter(torch.randn(maps[0], height, width))
        self.weigh = init_scaled(nn.Linear(latent_dim, maps[0], bias=False), latent_dim)
        layers: list[nn.Module] = [Block(maps[0], depth) for _ in range(blocks)]
        for wide, narrow in pairwise(maps):  # (wide, h, w) -> (narrow, 2h, 2w)
            layers += [
                init_scaled(nn.Conv2d(wide, narrow, 1, bias=False), wide),
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                *(Block(narrow, depth) for _ in range(blocks)),
            ]
        last = nn.ConvTranspose2d(maps[-1], channels, 4, 2, 1, bias=False)
        layers.append(init_scaled(last, 4 * maps[-1]))  # a pixel is a sum over 4 of 16 weights
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        start = self.weigh(z)[:, :, None, None] * self.patterns  # (N, wide, height, width)
        return torch.tanh(self.main(start))


class Discriminator(nn.Module):
    """Images (N, channels, height, width) -> logits (N,).

    At base_channels=24: 567,888 parameters for 64 px, 1,339,536 for 128, 2,126,480 for 256. No
    normalisation.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        base_channels: int = 24,
        max_channels: int = 256,
        blocks: int = 1,
    ) -> None:
        super().__init__()
        height, width, doublings = first_map(image_size)
        maps = map_channels(doublings, base_channels, max_channels, blocks)[::-1]
        depth = len(maps) * blocks
        first = nn.Conv2d(channels, maps[0], 4, 2, 1, bias=False)  # -> half the size
        layers: list[nn.Module] = [init_scaled(first, 16 * channels)]
        layers += [Block(maps[0], depth) for _ in range(blocks)]
        for narrow, wide in pairwise(maps):  # (narrow, h, w) -> (wide, h/2, w/2)
            layers += [
                nn.AvgPool2d(2),
                init_scaled(nn.Conv2d(narrow, wide, 1, bias=False), narrow),
                *(Block(wide, depth) for _ in range(blocks)),
            ]
        wide = maps[-1]
        layers += [
            init_scaled(  # each of the smallest maps -> 1x1
                nn.Conv2d(wide, wide, (height, width), groups=wide, bias=False), height * width
            ),
            nn.Flatten(),
            init_scaled(nn.Linear(wide, 1, bias=False), wide),
        ]
        self.main = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()
