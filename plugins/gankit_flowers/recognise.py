"""Reads petal count and colour from pictures of petals, by measuring, without a network."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from gankit_flowers.factors import COLOURS, COUNTS

TONES = torch.tensor([tones[:2] for tones in COLOURS.values()], dtype=torch.float32)  # (6, 2, RGB)
CHUNK = 256  # pictures at a time
NUM_ANGLES = 144
NUM_RADII = 24
MIN_SIZE_TO_BLUR = 32  # px: from here on, a blur of one pixel does not spoil a flower
MAX_RADIUS = 2.7  # standard deviations from the centre; beyond the tips of the petals
MIN_SHARE = 0.5  # of an outline's waves that must have the frequency of the count
MAX_COLOUR_DISTANCE = 40  # levels of 255
MAX_BORDER_SHARE = 0.25


class Flowers(NamedTuple):
    """What pictures show, each (N,)."""

    count: Any  # of petals
    colour: Any  # index in COLOURS
    sure: Any  # whether the picture is clear enough to tell


def recognise(pictures: np.ndarray[Any, Any]) -> Flowers:
    """Petal count and colour of pictures uint8 (N, H, W, 3)."""
    chunks = [
        _recognise_chunk(torch.from_numpy(pictures[start : start + CHUNK]))
        for start in range(0, len(pictures), CHUNK)
    ]
    return Flowers(*(torch.cat(column).numpy() for column in zip(*chunks, strict=True)))


def _recognise_chunk(pictures: Tensor) -> Flowers:
    images = pictures.permute(0, 3, 1, 2).float()
    if images.shape[-1] >= MIN_SIZE_TO_BLUR:  # a generator's pictures are grainy
        images = avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    mask = flower_mask(images)
    polar = to_polar(torch.cat([mask[:, None], images], dim=1), mask)
    cover = polar[:, 0]
    colours = polar[:, 1:]
    # The outline of a flower with n petals is a wave with n periods around the centre.
    power = torch.fft.rfft(cover.mean(dim=1), dim=1).abs().square()  # (N, frequency)
    count_power = power[:, COUNTS[0] : COUNTS[-1] + 1]
    share = count_power.amax(dim=1) / power[:, 3:13].sum(dim=1).clamp_min(1e-9)
    petals = slice(NUM_RADII * 5 // 12, NUM_RADII * 8 // 12)  # beyond the centre, before the tips
    weight = cover[:, petals].clamp_min(1e-6)
    tone = (colours[:, :, petals] * weight[:, None]).sum(dim=(2, 3))
    distance = colour_distance(tone / weight.sum(dim=(1, 2))[:, None])
    is_clear = share > MIN_SHARE
    is_clear &= distance.amin(dim=1) < MAX_COLOUR_DISTANCE
    is_clear &= border_share(mask) < MAX_BORDER_SHARE
    return Flowers(count_power.argmax(dim=1) + COUNTS[0], distance.argmin(dim=1), is_clear)


def flower_mask(images: Tensor) -> Tensor:
    """(N, H, W) from 0, leaf, to 1, flower: no petal is green, and the darkest leaves are dark."""
    red, green, blue = images.unbind(dim=1)
    darkest = images.amin(dim=1)
    return ((torch.maximum(red, blue) - green + 0.15 * darkest) / 12).clamp(0, 1)


def border_share(mask: Tensor) -> Tensor:
    """(N,): the share of border pixels that are flower; a complete flower touches few of them."""
    inner = mask[:, 1:-1, 1:-1]
    return (mask.sum(dim=(1, 2)) - inner.sum(dim=(1, 2))) / (mask[0].numel() - inner[0].numel())


def to_polar(images: Tensor, mask: Tensor) -> Tensor:
    """(N, C, radii, angles): the pictures in polar coordinates around the flower's centre.

    The mean and the covariance of the flower's pixels correct its position and its tilt: a flower
    seen from above has the same spread in all directions.
    """
    count = len(mask)
    size = mask.shape[-1]
    position = (torch.arange(size) + 0.5) / size * 2 - 1
    total = mask.sum(dim=(1, 2)).clamp_min(1e-6)
    columns = mask.sum(dim=1)
    rows = mask.sum(dim=2)
    x = (columns * position).sum(dim=1) / total
    y = (rows * position).sum(dim=1) / total
    dx = position - x[:, None]
    dy = position - y[:, None]
    xx = (columns * dx**2).sum(dim=1) / total
    yy = (rows * dy**2).sum(dim=1) / total
    xy = torch.einsum("nij,ni,nj->n", mask, dy, dx) / total
    covariance = torch.stack([xx, xy, xy, yy], dim=1).reshape(count, 2, 2)
    values, vectors = torch.linalg.eigh(covariance + 1e-6 * torch.eye(2))
    root = vectors * values.clamp_min(1e-6).sqrt()[:, None] @ vectors.transpose(1, 2)
    angle = torch.arange(NUM_ANGLES) / NUM_ANGLES * 2 * torch.pi
    radius = (torch.arange(NUM_RADII) + 0.5) / NUM_RADII * MAX_RADIUS
    circle = torch.stack([angle.cos(), angle.sin()])  # (2, angles)
    points = root @ circle  # (N, 2, angles)
    centre = torch.stack([x, y], dim=1)[:, :, None, None]
    points = points[:, :, None] * radius[:, None] + centre
    return grid_sample(images, points.permute(0, 2, 3, 1), align_corners=False)


def colour_distance(tone: Tensor) -> Tensor:
    """(N, 6): the distance of a colour (N, RGB) from the line between the tones of each kind."""
    dark, light = TONES.unbind(dim=1)
    along = light - dark
    share = ((tone[:, None] - dark) * along).sum(dim=2) / along.square().sum(dim=1)
    distances: Tensor = (tone[:, None] - dark - share.clamp(0, 1)[..., None] * along).norm(dim=2)
    return distances
