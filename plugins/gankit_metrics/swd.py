"""SWD: do small patches look alike, at each scale? It needs no network and no weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gankit.core import randomness
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import Pixels, Rows

PATCH_SIZE = 7  # px
DIRECTIONS = 128
EDGES = 32  # of each of the two kinds: see `bin_projections`
SMALLEST = 16  # px: the last level of the pyramid
PATCHES_PER_SET = 2**16
MAX_PATCHES = 128  # per picture
MIN_PATCHES = 16
BLUR = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


class SWD(Metric):
    """Sliced Wasserstein distance of patches on a Laplacian pyramid, times 1000.

    As in Karras et al. 2018: patches of 7 x 7 px from each level (from the pictures' own size down
    to 16 px), each channel scaled to mean 0 and standard deviation 1 over its set, are projected
    onto 128 random directions (there 512); the number is the mean distance of the two
    distributions. The first levels show sharpness and texture, the last one shapes. Scaling removes
    overall colour and contrast, so the number does not see them.
    """

    bounds = (0.0, math.inf)
    at_the_floor = "small patches cannot be told from those of real pictures at this size"

    def features(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        """(N, levels, patches, directions): the projection of each patch onto each direction."""
        levels = laplacian_pyramid(torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
        per_picture = max(MIN_PATCHES, min(MAX_PATCHES, PATCHES_PER_SET // len(pictures)))
        return np.stack([_project_patches(images, per_picture) for images in levels], axis=1)

    def compare(self, generated: Any, reference: Any) -> Any:
        """For each level what `bin_projections` returns."""
        num_levels = generated.shape[1]
        return [
            bin_projections(generated[:, level], reference[:, level]) for level in range(num_levels)
        ]

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        return float(np.mean([wasserstein(level, generated, reference) for level in state]))

    def describe(self, state: Any) -> str:
        """The distance at each level."""
        distances = []
        for level in state:
            _, generated, reference = level
            rows = (np.arange(len(generated)), np.arange(len(reference)))
            distances.append(f"{wasserstein(level, *rows):.1f}")
        return f"from fine to coarse {', '.join(distances)}"


def _blur(images: Tensor) -> Tensor:
    """Images blurred by (1 4 6 4 1) / 16 in both directions, mirrored at the border."""
    channels = images.shape[1]
    kernel = torch.outer(BLUR, BLUR).expand(channels, 1, 5, 5)
    return conv2d(pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """What each size adds to the next smaller one (Burt and Adelson 1983).

    images: (N, C, H, W). The last level is the small image itself.
    """
    levels = []
    while all(side >= 2 * SMALLEST and side % 2 == 0 for side in images.shape[-2:]):
        smaller = _blur(images)[:, :, ::2, ::2]
        upsampled = images.new_zeros(images.shape)
        upsampled[:, :, ::2, ::2] = 4 * smaller
        levels.append(images - _blur(upsampled))
        images = smaller
    return [*levels, images]


def _project_patches(images: Tensor, per_picture: int) -> np.ndarray[Any, Any]:
    """(N, per_picture, directions): random patches of each picture, scaled and projected."""
    num_pictures, channels, height, width = images.shape
    generator = randomness.generator(0, height, "patches")
    top, left = (
        torch.randint(
            0, side - PATCH_SIZE + 1, (num_pictures, per_picture, 1, 1), generator=generator
        )
        for side in (height, width)
    )
    offsets = torch.arange(PATCH_SIZE)
    rows = top + offsets[:, None]  # (N, per_picture, 7, 1)
    columns = left + offsets  # (N, per_picture, 1, 7)
    pictures = torch.arange(num_pictures)[:, None, None, None]
    patches = images.permute(0, 2, 3, 1)[pictures, rows, columns]  # (N, per_picture, 7, 7, C)
    deviation, mean = torch.std_mean(patches, dim=(0, 1, 2, 3), correction=0)
    patches = ((patches - mean) / deviation.clamp_min(1e-8)).flatten(2)
    generator = randomness.generator(0, height, "directions")  # the same for sets of any size
    directions = torch.randn(PATCH_SIZE**2 * channels, DIRECTIONS, generator=generator)
    directions = directions / directions.norm(dim=0)
    projections: np.ndarray[Any, Any] = (patches @ directions).numpy()
    return projections


def bin_projections(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Distribution functions of two sets of projections (N, patches, directions), as histograms.

    Returns bin edges (directions, edges), and for each picture of x and of y the share of its
    patches below each edge, (N, directions, edges). Half of the edges are quantiles of both sets
    together, half are evenly spaced. The distribution function of any rows is the mean of their
    shares, which makes a bootstrap cheap. 64 edges come within 1 % of sorting every patch.
    """
    flat = [values.reshape(-1, values.shape[2]) for values in (x, y)]
    projections = torch.from_numpy(np.concatenate(flat))
    subset = projections[:: max(1, len(projections) // 4096)]
    subset = subset.T.contiguous().sort(dim=1).values
    quantiles = torch.linspace(0, subset.shape[1] - 1, EDGES + 2)[1:-1].long()
    low, high = projections.aminmax(dim=0)
    evenly_spaced = low[:, None] + (high - low)[:, None] * torch.linspace(0, 1, EDGES)
    edges = torch.cat([subset[:, quantiles], evenly_spaced], dim=1).sort(dim=1).values
    return edges.numpy(), _shares_below(x, edges), _shares_below(y, edges)


def _shares_below(projections: Any, edges: Tensor) -> np.ndarray[Any, Any]:
    """(N, directions, edges): the share of each picture's patches that lie below each edge."""
    num_pictures, num_patches, num_directions = projections.shape
    num_bins = edges.shape[1] + 1
    by_direction = torch.from_numpy(projections).permute(2, 0, 1).reshape(num_directions, -1)
    bins = torch.searchsorted(edges.contiguous(), by_direction.contiguous())
    bins = bins.reshape(num_directions, num_pictures, num_patches)
    first_bins = torch.arange(num_pictures)[:, None] * num_bins  # of each picture, in one bincount
    shares = torch.empty(num_pictures, num_directions, edges.shape[1])
    for direction in range(num_directions):
        all_bins = (bins[direction] + first_bins).flatten()
        counts = torch.bincount(all_bins, minlength=num_pictures * num_bins)
        counts = counts.reshape(num_pictures, num_bins)
        shares[:, direction] = counts.cumsum(dim=1)[:, :-1] / num_patches
    return shares.numpy()


def wasserstein(level: Any, generated: Rows, reference: Rows) -> float:
    """The area between two distribution functions, mean over directions, times 1000."""
    edges, generated_shares, reference_shares = level
    generated_function = weighted_mean(generated_shares, generated)  # (directions, edges)
    gap = np.abs(generated_function - weighted_mean(reference_shares, reference))
    areas = (gap[:, 1:] + gap[:, :-1]) / 2 * np.diff(edges, axis=1)
    return float(1000 * areas.sum(axis=1).mean())


def weighted_mean(shares: Any, rows: Rows) -> Any:
    """The mean of shares (N, ...) over the rows; a row that was drawn twice counts twice."""
    weights = np.bincount(rows, minlength=len(shares)).astype(np.float32) / len(rows)
    return (weights @ shares.reshape(len(shares), -1)).reshape(shares.shape[1:])
