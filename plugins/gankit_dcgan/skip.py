"""DCGAN's generator with three changes that let it learn from few pictures, and without a grid.

1. Every map from 8x8 up paints a picture of its own, and the pictures add up: coarse ones are
   enlarged and finer ones correct them. What a flower looks like from afar is learnt by short
   paths, while detail is still noise. After the skip outputs of StyleGAN2 (Karras et al. 2020,
   arXiv 1912.04958) and MSG-GAN (Karnewar & Wang 2020, arXiv 1903.06048).
2. Maps are enlarged as nearest neighbours and then convolved 3x3, which cannot lay a grid of 2x2
   pixels over a picture, where transposed convolutions must unlearn it (Odena, Dumoulin & Olah
   2016, distill.pub, "Deconvolution and checkerboard artifacts"). Both steps are one transposed
   convolution, as in progressive growing's code (Karras et al. 2018, arXiv 1710.10196); it begins
   as bilinear enlarging.
3. The last map has the size of the picture, so there are numbers for detail; DCGAN's has half.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import register_parametrization

from gankit_dcgan.nets import init_weights, widths


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1].

    529,104 parameters for 64 px at base_channels=24; base_channels and max_channels as for DCGAN,
    whose maps are followed by one more with half of base_channels.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_dim: int = 100,
        base_channels: int = 24,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        maps = [*widths(image_size, base_channels, max_channels), max(1, base_channels // 2)]
        self.first = nn.Sequential(  # z as a 1x1 image -> (maps[0], 4, 4)
            nn.ConvTranspose2d(latent_dim, maps[0], 4, 1, 0, bias=False),
            nn.BatchNorm2d(maps[0]),
            nn.ReLU(inplace=True),
        )
        self.ups = nn.ModuleList(  # (wide, s, s) -> (narrow, 2s, 2s)
            nn.Sequential(
                nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            )
            for wide, narrow in pairwise(maps)
        )
        self.paints = nn.ModuleList(nn.Conv2d(wide, channels, 1) for wide in maps[1:-1])
        self.paints.append(nn.Conv2d(maps[-1], channels, 3, 1, 1))
        self.apply(init_weights)
        enlarging = [up for up in self.ups.modules() if isinstance(up, nn.ConvTranspose2d)]
        for layer in enlarging:
            init_bilinear(layer)
            register_parametrization(layer, "weight", Enlarging())

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z[:, :, None, None])
        picture: Tensor | None = None
        for up, paint in zip(self.ups, self.paints, strict=True):
            x = up(x)
            picture = paint(x) if picture is None else paint(x) + enlarged(picture)
        assert picture is not None  # there is at least one map
        return torch.tanh(picture)


def enlarged(picture: Tensor) -> Tensor:
    """(N, C, s, s) -> (N, C, 2s, 2s)."""
    return interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)


class Enlarging(nn.Module):
    """Kernels (A, B, 3, 3) -> (A, B, 4, 4): of nearest neighbours, then the 3x3 convolution.

    Each number of a 3x3 kernel falls on 2x2 places of the 4x4 kernel with which a transposed
    convolution of stride 2 does both.
    """

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
        self.register_buffer("spread", torch.kron(line, line), persistent=False)  # (9, 16)

    def forward(self, kernels: Tensor) -> Tensor:
        return (kernels.flatten(2) @ self.spread).unflatten(2, (4, 4))

    def right_inverse(self, kernels: Tensor) -> Tensor:
        """The 3x3 kernels that come nearest to 4x4 ones."""
        return (kernels.flatten(2) @ torch.linalg.pinv(self.spread)).unflatten(2, (3, 3))


@torch.no_grad()
def init_bilinear(layer: nn.ConvTranspose2d) -> None:
    """Let a transposed convolution that doubles a map begin as upsampling of mixed channels.

    Each 4x4 kernel is one number ~ N(0, 0.02) times the bilinear kernel, scaled so that weights
    are as large as DCGAN's. After Long, Shelhamer & Darrell 2015 (arXiv 1411.4038).
    """
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    bilinear = line[:, None] * line
    mixed = nn.init.normal_(torch.empty(layer.weight.shape[:2]), 0.0, 0.02)
    layer.weight.copy_(mixed[:, :, None, None] * bilinear / bilinear.square().mean().sqrt())
