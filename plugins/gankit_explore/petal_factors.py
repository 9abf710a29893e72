"""Which factor of petals a direction changes: measured on its pictures."""

from __future__ import annotations

import numpy as np
import torch
from gankit_flowers.recognise import flower_mask, recognise
from numpy.typing import NDArray
from torch import Tensor

MIN_STRENGTH = 0.8  # standard deviations; a weaker change names no direction
MIN_SURE = 8  # flowers that are clear at both ends of the way

Pictures = NDArray[np.uint8]  # (N, H, W, 3)
Values = NDArray[np.float64]  # (N, numbers), NaN where a picture is not clear


def strongest_factor(low: Pictures, high: Pictures) -> tuple[str, float]:
    """The factor that differs most between pictures at the two ends of a direction.

    With its change in standard deviations; ("", 0) if no factor changes clearly.
    """
    before = measure_factors(low)
    after = measure_factors(high)
    strengths = {name: _strength(before[name], after[name]) for name in before}
    factor = max(strengths, key=lambda name: strengths[name])
    if strengths[factor] < MIN_STRENGTH:
        return "", 0.0
    return factor, strengths[factor]


def measure_factors(pictures: Pictures) -> dict[str, Values]:
    """What can be measured on pictures of petals: name -> values (N, numbers)."""
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    mask = flower_mask(images)
    flower = mask.sum(dim=(1, 2)).clamp_min(1e-6)
    leaf = (1 - mask).sum(dim=(1, 2)).clamp_min(1e-6)
    position = torch.linspace(0, 1, mask.shape[-1])
    petals = (images * mask[:, None]).sum(dim=(2, 3)) / flower[:, None]
    leaves = (images * (1 - mask[:, None])).sum(dim=(2, 3)) / leaf[:, None]
    flowers = recognise(pictures)
    count = np.where(flowers.sure, flowers.count, np.nan)
    return {
        "colour": _columns(_tone(petals)),
        "number of petals": count[:, None].astype(np.float64),
        "size": _columns(flower),
        "place, left to right": _columns((mask.sum(dim=1) * position).sum(dim=1) / flower),
        "place, top to bottom": _columns((mask.sum(dim=2) * position).sum(dim=1) / flower),
        "brightness of the flower": _columns(petals.mean(dim=1)),
        "brightness of the leaves": _columns(leaves.mean(dim=1)),
        "colour of the leaves": _columns(_tone(leaves)),
    }


def _tone(colours: Tensor) -> Tensor:
    """Colours (N, RGB) without their brightness."""
    return colours / colours.mean(dim=1, keepdim=True).clamp_min(1)


def _columns(values: Tensor) -> Values:
    columns = values if values.ndim == 2 else values[:, None]
    array: Values = columns.double().numpy()
    return array


def _strength(before: Values, after: Values) -> float:
    """The mean change from before to after, in standard deviations of both together."""
    is_clear = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1)
    if is_clear.sum() < MIN_SURE:
        return 0.0
    change = (after - before)[is_clear].mean(axis=0)
    spread = np.concatenate([before[is_clear], after[is_clear]]).std(axis=0)
    return float(np.linalg.norm(change)) / max(float(np.linalg.norm(spread)), 1e-9)
