"""DCGAN's generator with three changes, so that it learns from few pictures and draws no grid.

1. Each map from 8x8 up makes a picture, and the pictures are added: coarse ones are upsampled, and
   finer ones correct them. So the rough look of a flower is learnt through few layers, while the
   detail is still noise. After the skip outputs of StyleGAN2 (Karras et al. 2020, arXiv 1912.04958)
   and MSG-GAN (Karnewar & Wang 2020, arXiv 1903.06048).
2. Maps are upsampled to nearest neighbours and then convolved 3x3, which cannot draw a checkerboard
   of 2x2 pixels; transposed convolutions start with one and must unlearn it (Odena, Dumoulin & Olah
   2016, distill.pub, "Deconvolution and checkerboard artifacts"). Both steps are computed as one
   transposed convolution, as in the code of progressive growing (Karras et al. 2018, arXiv
   1710.10196). It is initialised to bilinear upsampling.
3. The last map is as large as the picture, so G has channels for fine detail; DCGAN's has half the
   size.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import register_parametrization

from gankit_dcgan.nets import Layers, batch_norm, first_map, init_weights, map_channels


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    529,104 parameters for 64 px at base_channels=24. base_channels and max_channels are those of
    DCGAN; one more map follows, with half of base_channels. With class labels, `labels` (N,) are
    the classes that the images are to show.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        latent_dim: int = 100,
        num_classes: int = 0,
        base_channels: int = 24,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        height, width, doublings = first_map(image_size)
        maps = [*map_channels(doublings, base_channels, max_channels), max(1, base_channels // 2)]
        self.first = Layers(  # z as a 1x1 image -> (maps[0], height, width)
            nn.ConvTranspose2d(latent_dim, maps[0], (height, width), 1, 0, bias=False),
            batch_norm(maps[0], num_classes),
            nn.ReLU(inplace=True),
        )
        self.ups = nn.ModuleList(  # (wide, h, w) -> (narrow, 2h, 2w)
            Layers(
                nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
                batch_norm(narrow, num_classes),
                nn.ReLU(inplace=True),
            )
            for wide, narrow in pairwise(maps)
        )
        self.paints = nn.ModuleList(nn.Conv2d(wide, channels, 1) for wide in maps[1:-1])
        self.paints.append(nn.Conv2d(maps[-1], channels, 3, 1, 1))
        self.apply(init_weights)
        upsampling = [up for up in self.ups.modules() if isinstance(up, nn.ConvTranspose2d)]
        for layer in upsampling:
            init_bilinear(layer)
            register_parametrization(layer, "weight", NearestThenConv3x3())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.first(z[:, :, None, None], labels)
        picture: Tensor | None = None
        for up, paint in zip(self.ups, self.paints, strict=True):
            x = up(x, labels)
            picture = paint(x) if picture is None else paint(x) + upsample(picture)
        assert picture is not None  # there is at least one map
        return torch.tanh(picture)


def upsample(picture: Tensor) -> Tensor:
    """(N, C, s, s) -> (N, C, 2s, 2s)."""
    return interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)


class NearestThenConv3x3(nn.Module):
    """Kernels (A, B, 3, 3) -> (A, B, 4, 4), which upsample (nearest) and then convolve 3x3.

    A transposed convolution of stride 2 with the 4x4 kernel does both; each number of the 3x3
    kernel is added to 2x2 numbers of the 4x4 kernel.
    """

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
        self.register_buffer("spread", torch.kron(line, line), persistent=False)  # (9, 16)

    def forward(self, kernels: Tensor) -> Tensor:
        return (kernels.flatten(2) @ self.spread).unflatten(2, (4, 4))

    def right_inverse(self, kernels: Tensor) -> Tensor:
        """The 3x3 kernels whose 4x4 kernels are nearest to these (least squares)."""
        return (kernels.flatten(2) @ torch.linalg.pinv(self.spread)).unflatten(2, (3, 3))


@torch.no_grad()
def init_bilinear(layer: nn.ConvTranspose2d) -> None:
    """Initialise a transposed convolution of stride 2 to bilinear upsampling of mixed channels.

    Each 4x4 kernel is one number ~ N(0, 0.02) times the bilinear kernel, scaled so that the weights
    are as large as DCGAN's. After Long, Shelhamer & Darrell 2015 (arXiv 1411.4038).
    """
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    bilinear = line[:, None] * line
    mixed = nn.init.normal_(torch.empty(layer.weight.shape[:2]), 0.0, 0.02)
    layer.weight.copy_(mixed[:, :, None, None] * bilinear / bilinear.square().mean().sqrt())
