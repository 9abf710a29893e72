"""Features of pictures (N, C, H, W) in [-1, 1] that a look compares: no network is needed."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SIDE = 8  # pixels of a thumbnail
CLIPPED = 0.98  # beyond it, a value is as good as black or white


def thumbnails(images: Tensor) -> Tensor:
    """Pictures of SIDE x SIDE pixels, or of their own size, as rows (N, F)."""
    small: Tensor = functional.adaptive_avg_pool2d(images, min(SIDE, *images.shape[-2:]))
    return small.flatten(1)


def texture(images: Tensor) -> Tensor:
    """How strong, sparse and coloured the details are at each scale, in logarithms; (N, F)."""
    columns = []
    level = images.mean(dim=1, keepdim=True)
    if images.shape[1] > 1:
        columns.append((_details(images - level).square().mean(dim=(1, 2, 3)) + 1e-6).log() / 2)
    while min(level.shape[-2:]) >= 8:
        details = _details(level).flatten(1)
        energy = details.square().mean(dim=1) + 1e-6
        size = details.abs().mean(dim=1) + 1e-3
        across = (level[..., 1:] - level[..., :-1]).square().mean(dim=(1, 2, 3)) + 1e-6
        down = (level[..., 1:, :] - level[..., :-1, :]).square().mean(dim=(1, 2, 3)) + 1e-6
        columns += [energy.log() / 2, size.log() - energy.log() / 2, (across / down).log() / 2]
        level = functional.avg_pool2d(level, 2)
    return torch.stack(columns, dim=1) if columns else thumbnails(images)


def _details(images: Tensor) -> Tensor:
    """What is lost if images (N, C, H, W) are made half as large."""
    smooth = functional.avg_pool2d(images, 2)
    return images - functional.interpolate(smooth, size=images.shape[-2:], mode="nearest")


def spectrum(images: Tensor) -> Tensor:
    """The mean power (H, W) of the pictures at each frequency, of all channels together."""
    rows, columns = (
        torch.hann_window(side, periodic=False, device=images.device) for side in images.shape[-2:]
    )
    flat = (images - images.mean(dim=(2, 3), keepdim=True)) * rows[:, None] * columns
    power: Tensor = torch.fft.fft2(flat).abs().square().mean(dim=0).sum(dim=0)
    return power


def lattice(power: Tensor, period: int) -> Tensor:
    """The power (H, W) of what repeats each `period` pixels, but not more often; a tensor ()."""
    height, width = power.shape
    total = torch.zeros((), device=power.device)
    for y in _places(height, period):
        for x in _places(width, period):
            if y in _places(height, period // 2) and x in _places(width, period // 2):
                continue
            rows = torch.tensor([y - 1, y, y + 1]) % height  # the window spreads a peak
            columns = torch.tensor([x - 1, x, x + 1]) % width
            total = total + power[rows[:, None], columns].sum()
    return total


def _places(side: int, period: int) -> set[int]:
    """The frequencies along a side of what repeats each `period` pixels."""
    return {round(side * k / period) % side for k in range(period)}


def high_share(power: Tensor) -> Tensor:
    """The share of the power (H, W) that is in the finest details, in decades; a tensor ()."""
    rows, columns = (torch.fft.fftfreq(side, device=power.device).abs() for side in power.shape)
    radius = torch.maximum(rows[:, None], columns)
    high = power[radius > 0.35].sum()
    return (high / power.sum().clamp_min(1e-20)).clamp_min(1e-12).log10()


class Colours(NamedTuple):
    """What colours pictures have."""

    mean: Tensor  # (C,), of each channel
    spread: Tensor  # (C,), the mean deviation within a picture
    chroma: Tensor  # (), the mean difference of the strongest and the weakest channel
    clipped: Tensor  # (), the share of values that are as good as black or white


def colours(images: Tensor) -> Colours:
    """What colours pictures (N, C, H, W) have."""
    values = images.flatten(2)
    return Colours(
        mean=values.mean(dim=(0, 2)),
        spread=values.std(dim=2).mean(dim=0),
        chroma=(values.amax(dim=1) - values.amin(dim=1)).mean(),
        clipped=(values.abs() > CLIPPED).float().mean(),
    )
