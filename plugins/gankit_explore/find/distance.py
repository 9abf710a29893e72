"""How far two pictures are from each other: by their pixels, and by what they show."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

import torch
from gankit_metrics.features import load_imagenet_lite
from torch import Tensor
from torch.nn.functional import interpolate

from gankit.core.errors import GankitError
from gankit.runs.images import on_grey

SIZE = 64  # px, at which the feature network looks
BLOCKS = (2, 4, 10)  # of EfficientNet-Lite0 whose outputs count: edges, textures, shapes
SMALLEST = 1e-4  # a variance below it is rounding: G draws the same picture for each z

log = logging.getLogger("gankit")


class Distance:
    """Puts pictures into a space in which the distance of two is how different they look.

    Pixels count for one half, and the features of three depths of a network for the other. 1 is
    the typical distance (root mean square) of two of the pictures that it was made with.
    """

    def __init__(self, images: Tensor) -> None:
        """`images` (N, C, H, W): random pictures of G."""
        self.network = _load_network()
        parts = list(self._parts(images))
        share = 1 / 2 / max(1, len(parts) - 1)
        shares = [1 - share * (len(parts) - 1), *[share] * (len(parts) - 1)]
        variances = [float(part.var(0, correction=0).sum()) for part in parts]
        self.scales = [
            math.sqrt(share / (2 * max(variance, SMALLEST)))
            for share, variance in zip(shares, variances, strict=True)
        ]

    def embed(self, images: Tensor) -> Tensor:
        """The places (N, d) of images (N, C, H, W) in the space; gradients flow through it."""
        scaled = [
            part * scale for part, scale in zip(self._parts(images), self.scales, strict=True)
        ]
        return torch.cat(scaled, dim=1)

    def _parts(self, images: Tensor) -> Iterator[Tensor]:
        """The pixels and the feature maps of images, each (N, ...) flattened."""
        yield images.flatten(1)
        if self.network is None:
            return
        features = on_grey(images).expand(-1, 3, -1, -1)
        if images.shape[-2:] != (SIZE, SIZE):
            features = interpolate(features, (SIZE, SIZE), mode="bilinear", antialias=True)
        features = features.contiguous(memory_format=torch.channels_last)
        features = self.network._swish(self.network._conv_stem(features))
        for number, block in enumerate(self.network._blocks[: BLOCKS[-1] + 1]):
            features = block(features)
            if number in BLOCKS:
                yield features.flatten(1)


def _load_network() -> Any:
    """The feature network; None, with a warning, if it is not installed."""
    try:
        return load_imagenet_lite()[1]
    except GankitError as error:
        log.warning("%s; pictures are compared by their pixels only", error)
        return None
