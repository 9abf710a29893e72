"""Are generated pictures nothing like the real ones, or all the same? A cheap check.

Metrics compare sets, and some of them rate noise or plain grey well: grey lies in the middle of all
pictures, so it is near to each of them. So before a number is explained, the generated pictures are
compared with the real ones in three plain ways, each far from what trained networks draw:

- Are they random noise? Noise has more contrast from pixel to pixel than between its parts.
- Are they almost of one colour?
- Are they all the same picture?

A check that finds nothing does not mean that the pictures are good.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, interpolate

from gankit.core.contracts.prepared import Pixels

MAX_PICTURES = 200  # of each set
SMALLEST = 4  # px: the coarsest scale
FINE_SCALES = 3  # scales at which noise may have its contrast: pixels, 2 and 4 of them
STRANGE = 0.01  # the share of real pictures that may be beyond the limits
FAINT = 4  # times less contrast than the typical real picture: almost of one colour
ALIKE = 10  # times smaller distance between pictures than between real ones
NOTHING_LIKE = "NOTHING LIKE THE REAL PICTURES"
Floats = np.ndarray[Any, Any]


def explain_unlikeness(generated: Pixels, real: Pixels) -> str:
    """Whether the generated pictures are nothing like the real ones, and why; else an empty text.

    Both are uint8 (N, H, W, C).
    """
    generated = generated[:MAX_PICTURES]
    real = real[:MAX_PICTURES]
    contrast = np.median(_contrasts(generated))
    real_contrasts = _contrasts(real)
    if contrast < min(np.median(real_contrasts) / FAINT, np.quantile(real_contrasts, STRANGE) / 2):
        return f"{NOTHING_LIKE}: almost of one colour"
    graininess = np.median(_graininess(generated))
    limit = np.quantile(_graininess(real), 1 - STRANGE)
    of_noise = np.median(_graininess(_noise_like(real)))
    if graininess > (limit + of_noise) / 2 and limit < of_noise - 0.5:
        return f"{NOTHING_LIKE}: random noise, without shapes"
    if _spread(generated) < _spread(real) / ALIKE:
        return "ALL NEARLY THE SAME PICTURE"
    return ""


def _contrasts(pictures: Pixels) -> Floats:
    """(N,): the standard deviation of each picture over its pixels, mean over channels."""
    contrasts: Floats = pictures.std(axis=(1, 2), dtype=np.float32).mean(axis=1)
    return contrasts


def _spread(pictures: Pixels) -> float:
    """How much pictures differ from their average, as a mean over pixels."""
    return float(pictures.std(axis=0, dtype=np.float32).mean())


def _noise_like(pictures: Pixels) -> Pixels:
    """A few pictures of the same size whose pixels are independent of each other."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (8, *pictures.shape[1:]), np.uint8)


def _graininess(pictures: Pixels) -> Floats:
    """(N,): log2 of the largest contrast at a fine scale, divided by that of the coarsest scales.

    Noise that was enlarged or blurred has little contrast from pixel to pixel, but much between
    squares of 2 or 4 pixels.
    """
    images = torch.from_numpy(np.ascontiguousarray(pictures)).float().mean(dim=3)[:, None]
    scales = []
    while all(side % 2 == 0 and side > SMALLEST for side in images.shape[-2:]):
        smaller = avg_pool2d(images, 2)
        detail = images - interpolate(smaller, scale_factor=2.0)
        scales.append(detail.std(dim=(1, 2, 3), correction=0))
        images = smaller
    scales.append(images.std(dim=(1, 2, 3), correction=0))
    logs = torch.stack(scales, dim=1).add(0.5).log2()  # half a level is rounding
    finest = max(1, min(FINE_SCALES, logs.shape[1] - 2))
    return (logs[:, :finest].amax(dim=1) - logs[:, -2:].mean(dim=1)).numpy()
