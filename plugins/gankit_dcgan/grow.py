"""DCGAN's networks that can grow: they begin with small pictures (Karras et al. 2018, 1710.10196).

Nothing in a network is made or thrown away while it grows: all layers for the full size exist from
the beginning, and a smaller picture passes fewer of them. The trick `grow` calls `grow_to`.

    G at 16 px                  z - first - up - up - paint - picture
    D at 16 px                picture - look - down - last - logit

At 32 px, G has one more `up`, and adds what the next `paint` makes of it to the enlarged picture; D
begins with another `look` and one more `down`. While these new layers fade in, each network is a
mixture of what it was and what it will be, so that neither surprises the other.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gankit_dcgan.nets import ClassTable, first_map, init_weights, map_channels
from gankit_dcgan.skip import Generator, upsample


class Growing(nn.Module):
    """A network that works on pictures of the full size, or halved up to `max_halvings` times."""

    max_halvings: int
    halvings: int  # how often pictures are halved now; 0 for the full size
    is_fading: bool  # whether the newest layers are not all there yet
    growth: Tensor  # (), the same number as `halvings`: a buffer, so that checkpoints hold it
    fade: Tensor  # (), the share of the newest layers, from 0 to 1; a buffer

    def begin_at_full_size(self, max_halvings: int) -> None:
        """Register what a network needs to grow; the last line of its `__init__`."""
        self.max_halvings = max_halvings
        self.register_buffer("growth", torch.tensor(0))
        self.register_buffer("fade", torch.tensor(1.0))
        self.grow_to(0)

    def grow_to(self, halvings: int, fade: float = 1.0) -> None:
        """Work on pictures of the full size, halved this often; ValueError if it cannot."""
        is_possible = 0 <= halvings <= self.max_halvings and 0 <= fade <= 1
        if halvings == self.max_halvings:  # there is nothing smaller to fade from
            is_possible = is_possible and fade == 1
        if not is_possible:
            raise ValueError(f"it cannot have pictures halved {halvings} times with fade {fade}")
        self.halvings = halvings
        self.is_fading = fade < 1
        self.growth.fill_(halvings)
        self.fade.fill_(fade)

    def load_state_dict(self, *args: Any, **options: Any) -> Any:
        """Load the weights, and how far the network has grown; ValueError if that is impossible."""
        result = super().load_state_dict(*args, **options)
        self.grow_to(int(self.growth), float(self.fade))
        return result


class GrowingGenerator(Growing, Generator):
    """The generator dcgan-skip, which can paint smaller pictures while it trains.

    z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1]. In training mode, they have
    the size that it has grown to. In eval mode they always have the full size: each pixel of a
    smaller picture becomes a square.
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
        super().__init__(image_size, channels, latent_dim, num_classes, base_channels, max_channels)
        self.begin_at_full_size(max_halvings=len(self.ups) - 1)  # to twice its first map

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.ups[0](self.first(z[:, :, None, None], labels), labels)
        picture = self.paints[0](x)
        newest = self.max_halvings - self.halvings
        for index in range(1, newest + 1):
            x = self.ups[index](x, labels)
            detail = self.paints[index](x)
            if self.is_fading and index == newest:
                detail = self.fade * detail
            picture = detail + upsample(picture)
        return enlarge(torch.tanh(picture), 0 if self.training else self.halvings)


class GrowingDiscriminator(Growing):
    """DCGAN's discriminator, which can judge smaller pictures.

    Images (N, channels, height, width) -> logits (N,). They have the size that it has grown to, or
    the full one: then it looks at the means of squares. At each size it has the layers of DCGAN's
    discriminator for that size. They share all but the first one, which looks at the picture.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        num_classes: int = 0,
        base_channels: int = 24,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        height, width, doublings = first_map(image_size)
        self.width = width * 2**doublings  # of pictures of the full size
        maps = map_channels(doublings, base_channels, max_channels)  # from the smallest map up
        self.looks = nn.ModuleList(  # the picture -> a map of half its size
            nn.Sequential(
                nn.Conv2d(channels, wide, 4, 2, 1, bias=False),
                nn.LeakyReLU(0.2, inplace=True),
            )
            for wide in maps
        )
        self.downs = nn.ModuleList(  # (narrow, h, w) -> (wide, h / 2, w / 2)
            nn.Sequential(
                nn.Conv2d(narrow, wide, 4, 2, 1, bias=False),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(0.2, inplace=True),
            )
            for wide, narrow in pairwise(maps)
        )
        self.project = ClassTable(num_classes, maps[0]) if num_classes else None
        self.last = nn.Conv2d(maps[0], 1, (height, width), 1, 0, bias=False)  # -> one number
        self.apply(init_weights)
        self.begin_at_full_size(max_halvings=len(maps) - 1)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        vectors = None if self.project is None else self.project(labels)
        images = shrink(images, images.shape[3] * 2**self.halvings // self.width)
        newest = self.max_halvings - self.halvings
        x = self.looks[newest](images)
        for index in reversed(range(newest)):
            x = self.downs[index](x)
            if self.is_fading and index == newest - 1:
                x = torch.lerp(self.looks[index](shrink(images, 2)), x, self.fade.to(x.dtype))
        logits: Tensor = self.last(x).flatten()
        if vectors is not None:  # the product of the features with the vector of their class
            logits = logits + (vectors * x.mean(dim=(2, 3))).sum(dim=1)
        return logits


def enlarge(images: Tensor, doublings: int) -> Tensor:
    """(N, C, h, w) -> (N, C, h * 2^doublings, w * 2^doublings); each pixel becomes a square."""
    if doublings == 0:
        return images
    return interpolate(images, scale_factor=2**doublings, mode="nearest")


def shrink(images: Tensor, factor: int) -> Tensor:
    """(N, C, h, w) -> (N, C, h / factor, w / factor), the means of squares."""
    return images if factor == 1 else avg_pool2d(images, factor)
