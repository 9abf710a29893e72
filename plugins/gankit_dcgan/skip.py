"""DCGAN's generator with two changes that let it learn from far fewer pictures.

1. Every map from 8x8 up paints a picture of its own, and the pictures add up: coarse ones are
   enlarged and finer ones correct them. What a flower looks like from afar is learnt by short
   paths, while detail is still noise. After the skip outputs of StyleGAN2 (Karras et al. 2020,
   arXiv 1912.04958) and MSG-GAN (Karnewar & Wang 2020, arXiv 1903.06048).
2. Transposed convolutions begin as bilinear upsampling. Kernels of random numbers lay a grid of
   2x2 pixels over every picture, which G has to unlearn first. After Long, Shelhamer & Darrell 2015
   (arXiv 1411.4038) and Aitken et al. 2017 (arXiv 1707.02937).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gankit_dcgan.nets import init_weights, widths


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1].

    696,657 parameters for 64 px at base_channels=24; base_channels and max_channels as for DCGAN.
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
        maps = widths(image_size, base_channels, max_channels)
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
        self.paints = nn.ModuleList(nn.Conv2d(wide, channels, 1) for wide in maps[1:])
        self.last = nn.ConvTranspose2d(maps[-1], channels, 4, 2, 1, bias=False)
        self.apply(init_weights)
        self.apply(init_bilinear)

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z[:, :, None, None])
        picture = None
        for up, paint in zip(self.ups, self.paints, strict=True):
            x = up(x)
            picture = paint(x) if picture is None else paint(x) + enlarged(picture)
        x = self.last(x)
        return torch.tanh(x if picture is None else x + enlarged(picture))


def enlarged(picture: Tensor) -> Tensor:
    """(N, C, s, s) -> (N, C, 2s, 2s)."""
    return interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)


@torch.no_grad()
def init_bilinear(module: nn.Module) -> None:
    """Let a transposed convolution that doubles a map begin as upsampling of mixed channels.

    Each 4x4 kernel is one number ~ N(0, 0.02) times the bilinear kernel, scaled so that weights
    are as large as DCGAN's.
    """
    if isinstance(module, nn.ConvTranspose2d) and module.stride == (2, 2):
        line = torch.tensor([1.0, 3.0, 3.0, 1.0])
        bilinear = line[:, None] * line
        mixed = nn.init.normal_(torch.empty(module.weight.shape[:2]), 0.0, 0.02)
        module.weight.copy_(mixed[:, :, None, None] * bilinear / bilinear.square().mean().sqrt())
