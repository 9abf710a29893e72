"""Reads petal count and colour off a picture of petals, by measuring, without a network."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from gankit_flowers.factors import COLOURS, COUNTS

TONES = torch.tensor([tones[:2] for tones in COLOURS.values()], dtype=torch.float32)  # (6, 2, RGB)
ANGLES, RADII = 144, 24
SMOOTHED = 32  # px: from here on a flower outlives a blur of one pixel
OUTSIDE = 2.7  # deviations from the centre beyond the tips of the petals
SURE = 0.5  # the least share of an outline's waves that is in step with the count


class Read(NamedTuple):
    """What pictures show, each (N,)."""

    count: Any  # of petals
    colour: Any  # place in COLOURS
    sure: Any  # whether it can be seen at all


def recognise(pictures: np.ndarray[Any, Any]) -> Read:
    """Petal count and colour of pictures uint8 (N, H, W, 3)."""
    parts = [_read(torch.from_numpy(part)) for part in _some(pictures)]
    return Read(*(torch.cat(column).numpy() for column in zip(*parts, strict=True)))


def _some(pictures: np.ndarray[Any, Any], count: int = 256) -> list[Any]:
    return [pictures[start : start + count] for start in range(0, len(pictures), count)]


def _read(pictures: Tensor) -> Read:
    images = pictures.permute(0, 3, 1, 2).float()
    if images.shape[-1] >= SMOOTHED:  # a generator's pictures are grainy
        images = avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    mask = flower(images)
    rings = unrolled(torch.cat([mask[:, None], images], dim=1), mask)
    cover, colours = rings[:, 0], rings[:, 1:]
    waves = torch.fft.rfft(cover.mean(dim=1), dim=1).abs().square()  # (N, frequency)
    counted = waves[:, COUNTS[0] : COUNTS[-1] + 1]
    share = counted.amax(dim=1) / waves[:, 3:13].sum(dim=1).clamp_min(1e-9)
    petals = slice(RADII * 5 // 12, RADII * 8 // 12)  # beyond the centre, before the tips
    weight = cover[:, petals].clamp_min(1e-6)
    tone = (colours[:, :, petals] * weight[:, None]).sum(dim=(2, 3))
    apart = from_lines(tone / weight.sum(dim=(1, 2))[:, None])
    sure = (share > SURE) & (apart.amin(dim=1) < 40) & (at_the_frame(mask) < 0.25)
    return Read(counted.argmax(dim=1) + COUNTS[0], apart.argmin(dim=1), sure)


def flower(images: Tensor) -> Tensor:
    """(N, H, W) from 0, leaf, to 1, flower: no petal is green, and the darkest leaves are dark."""
    red, green, blue = images.unbind(dim=1)
    least = images.amin(dim=1)
    return ((torch.maximum(red, blue) - green + 0.15 * least) / 12).clamp(0, 1)


def at_the_frame(mask: Tensor) -> Tensor:
    """(N,): which share of the outermost pixels is flower; a whole flower touches few of them."""
    inner = mask[:, 1:-1, 1:-1]
    return (mask.sum(dim=(1, 2)) - inner.sum(dim=(1, 2))) / (mask[0].numel() - inner[0].numel())


def unrolled(images: Tensor, mask: Tensor) -> Tensor:
    """(N, C, radii, angles): the pictures round the flower's centre, from there outwards.

    Mean and covariance of the flower's place make up for where it stands and how it is tilted: a
    flower seen from above has the same spread in all directions.
    """
    number, size = len(mask), mask.shape[-1]
    place = (torch.arange(size) + 0.5) / size * 2 - 1
    total = mask.sum(dim=(1, 2)).clamp_min(1e-6)
    across, down = mask.sum(dim=1), mask.sum(dim=2)
    x, y = (across * place).sum(dim=1) / total, (down * place).sum(dim=1) / total
    dx, dy = place - x[:, None], place - y[:, None]
    xx = (across * dx**2).sum(dim=1) / total
    yy = (down * dy**2).sum(dim=1) / total
    xy = torch.einsum("nij,ni,nj->n", mask, dy, dx) / total
    spread = torch.stack([xx, xy, xy, yy], dim=1).reshape(number, 2, 2)
    values, vectors = torch.linalg.eigh(spread + 1e-6 * torch.eye(2))
    root = vectors * values.clamp_min(1e-6).sqrt()[:, None] @ vectors.transpose(1, 2)
    angle = torch.arange(ANGLES) / ANGLES * 2 * torch.pi
    radius = (torch.arange(RADII) + 0.5) / RADII * OUTSIDE
    circle = torch.stack([angle.cos(), angle.sin()])  # (2, angles)
    points = root @ circle  # (N, 2, angles)
    points = points[:, :, None] * radius[:, None] + torch.stack([x, y], dim=1)[:, :, None, None]
    return grid_sample(images, points.permute(0, 2, 3, 1), align_corners=False)


def from_lines(tone: Tensor) -> Tensor:
    """(N, 6): how far a colour (N, RGB) is from the line between the two tones of each kind."""
    dark, light = TONES.unbind(dim=1)
    along = light - dark
    share = ((tone[:, None] - dark) * along).sum(dim=2) / along.square().sum(dim=1)
    distances: Tensor = (tone[:, None] - dark - share.clamp(0, 1)[..., None] * along).norm(dim=2)
    return distances
