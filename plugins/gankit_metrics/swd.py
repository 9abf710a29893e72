"""SWD: do small patches look alike, at each scale? No weights, no network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gankit.core import randomness
from gankit.core.metric import Metric
from gankit.core.prepared import Pixels, Rows

SIDE, DIRECTIONS, EDGES = 7, 128, 32
SMALLEST = 16  # px: the last level of the pyramid
PATCHES, MOST, LEAST = 2**16, 128, 16  # of a set; of a picture
BLUR = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


class SWD(Metric):
    """Sliced Wasserstein distance of patches on a Laplacian pyramid, in thousandths.

    As in Karras et al. 2018: patches of 7 x 7 px from each level (from the pictures' own size down
    to 16 px), each channel scaled to mean 0 and deviation 1 over its set, seen along 128 random
    directions; the mean distance between the two distributions. High levels show sharpness and
    texture, the last one shapes. Scaling makes it blind to overall colour and contrast.
    """

    bounds = (0.0, math.inf)

    def features(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        """(N, levels, patches, directions): where each patch lies along each direction."""
        levels = pyramid(torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
        count = max(LEAST, min(MOST, PATCHES // len(pictures)))
        return np.stack([_seen(images, count) for images in levels], axis=1)

    def compare(self, generated: Any, reference: Any) -> Any:
        """For each level: edges along each direction, and each picture's share below them."""
        return [
            grid(generated[:, level], reference[:, level]) for level in range(generated.shape[1])
        ]

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        return float(np.mean([distance(level, generated, reference) for level in state]))

    def describe(self, state: Any) -> str:
        """Each level's own distance."""
        every = [distance(level, *map(np.arange, map(len, level[1:]))) for level in state]
        return f"from fine to coarse {', '.join(f'{value:.1f}' for value in every)}"


def _smooth(images: Tensor) -> Tensor:
    """Blurred by (1 4 6 4 1) / 16 both ways, mirrored at the border."""
    channels, kernel = images.shape[1], torch.outer(BLUR, BLUR)
    weight = kernel.expand(channels, 1, 5, 5)
    return conv2d(pad(images, (2, 2, 2, 2), mode="reflect"), weight, groups=channels)


def pyramid(images: Tensor) -> list[Tensor]:
    """Laplacian pyramid (Burt and Adelson 1983): what each size adds to the next smaller one."""
    levels = []
    while images.shape[-1] >= 2 * SMALLEST and images.shape[-1] % 2 == 0:
        small = _smooth(images)[:, :, ::2, ::2]
        spread = images.new_zeros(images.shape)
        spread[:, :, ::2, ::2] = 4 * small
        levels.append(images - _smooth(spread))
        images = small
    return [*levels, images]


def _seen(images: Tensor, count: int) -> np.ndarray[Any, Any]:
    """(N, count, directions): patches of each picture, scaled over the set, along directions."""
    number, channels, size = images.shape[:3]
    draw = randomness.generator(0, size, "patches")
    corners = torch.randint(0, size - SIDE + 1, (2, number, count, 1, 1), generator=draw)
    steps = torch.arange(SIDE)
    rows, columns = corners[0] + steps[:, None], corners[1] + steps  # (N, count, 7, 1), (..., 1, 7)
    which = torch.arange(number)[:, None, None, None]
    patches = images.permute(0, 2, 3, 1)[which, rows, columns]  # (N, count, 7, 7, C)
    deviation, mean = torch.std_mean(patches, dim=(0, 1, 2, 3), correction=0)
    patches = ((patches - mean) / deviation.clamp_min(1e-8)).flatten(2)
    draw = randomness.generator(0, size, "directions")  # the same for sets of any size
    directions = torch.randn(SIDE * SIDE * channels, DIRECTIONS, generator=draw)
    along: np.ndarray[Any, Any] = (patches @ (directions / directions.norm(dim=0))).numpy()
    return along


def grid(x: Any, y: Any) -> Any:
    """(edges, shares of x, shares of y) of two sets (N, patches, directions).

    Edges are where both sets together have their quantiles, and evenly spread. A picture's share
    is how much of it lies below each edge, so any choice of pictures has the mean of their shares:
    this is what makes a bootstrap cheap. 64 edges come within 1 % of sorting every patch.
    """
    both = torch.from_numpy(np.concatenate([part.reshape(-1, part.shape[2]) for part in (x, y)]))
    some = both[:: max(1, len(both) // 4096)].T.contiguous().sort(dim=1).values
    low, high = both.aminmax(dim=0)
    places = torch.linspace(0, some.shape[1] - 1, EDGES + 2)[1:-1].long()
    even = low[:, None] + (high - low)[:, None] * torch.linspace(0, 1, EDGES)
    edges = torch.cat([some[:, places], even], dim=1).sort(dim=1).values  # (directions, edges)
    return edges.numpy(), _below(x, edges), _below(y, edges)


def _below(values: Any, edges: Tensor) -> np.ndarray[Any, Any]:
    """(N, directions, edges): the share of each picture's patches that lie below each edge."""
    number, patches, directions = values.shape
    steps = edges.shape[1] + 1
    along = torch.from_numpy(values).permute(2, 0, 1).reshape(directions, -1).contiguous()
    bins = torch.searchsorted(edges.contiguous(), along).reshape(directions, number, patches)
    cells = torch.arange(number)[:, None] * steps
    shares = torch.empty(number, directions, edges.shape[1])
    for direction in range(directions):
        flat = (bins[direction] + cells).flatten()
        counted = torch.bincount(flat, minlength=number * steps).reshape(number, steps)
        shares[:, direction] = counted.cumsum(dim=1)[:, :-1] / patches
    return shares.numpy()


def distance(level: Any, generated: Rows, reference: Rows) -> float:
    """The mean over directions of the area between two distribution functions, x 1000."""
    edges, x, y = level
    apart = np.abs(mean_of(x, generated) - mean_of(y, reference))  # (directions, edges)
    areas = (apart[:, 1:] + apart[:, :-1]) / 2 * np.diff(edges, axis=1)
    return float(1000 * areas.sum(axis=1).mean())


def mean_of(shares: Any, rows: Rows) -> Any:
    """The mean over rows, each as often as it comes."""
    times = np.bincount(rows, minlength=len(shares)).astype(np.float32) / len(rows)
    return (times @ shares.reshape(len(shares), -1)).reshape(shares.shape[1:])
