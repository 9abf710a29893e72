"""The numbers of a look that come from pictures: a grid of G's, compared with real ones."""

from __future__ import annotations

import torch
from torch import Tensor

from gankit_doctor.look import features, statistics
from gankit_doctor.look.reference import GRID, MIN_PICTURES, Reference

DETAILED = 32  # pictures of the grid whose details are measured
TWIN = 0.25  # of the usual distance to the nearest picture: nearly the same picture
COPY = 0.5  # of the distance to the fifth nearest training picture: a copy of the nearest


def picture_numbers(
    images: Tensor, reference: Reference, previous: Tensor | None
) -> tuple[dict[str, Tensor], Tensor]:
    """The numbers of a grid (N, C, H, W), and its thumbnails, which are `previous` next time."""
    images = images.to(reference.device).contiguous()
    rows = features.thumbnails(images)
    detailed = images[:DETAILED]
    distances = torch.cdist(rows, reference.thumbnails)
    numbers = {
        **_distances(detailed, rows, distances, reference),
        **_variety(rows, reference, previous),
        **_spectrum(detailed, reference),
        **_colours(detailed, reference),
        "copies": copies(distances),
    }
    return numbers, rows


def _distances(
    images: Tensor, rows: Tensor, distances: Tensor, reference: Reference
) -> dict[str, Tensor]:
    texture = reference.texture_of(images)
    inside = statistics.mean_distance(rows) + reference.within
    return {
        "far": 1 - inside / (2 * distances.mean()).clamp_min(1e-12),
        "texture": statistics.energy_distance(texture, reference.texture, reference.texture_within),
        "simple": statistics.separation(texture, reference.texture).abs().max(),
    }


def _variety(rows: Tensor, reference: Reference, previous: Tensor | None) -> dict[str, Tensor]:
    nearest = statistics.nearest_distances(rows)
    shares = statistics.shares(rows, reference.centres)
    numbers = {
        "diversity": statistics.mean_distance(rows) / reference.within,
        "near": nearest.median() / reference.nearest,
        "twins": (nearest < TWIN * reference.nearest).float().mean(),
        "dims": statistics.dimensions(rows) / reference.dimensions,
        "missing": reference.shares[shares == 0].sum(),
    }
    if previous is not None and len(previous) == len(rows):
        numbers["turnover"] = (rows - previous).norm(dim=1).median() / reference.within
    return numbers


def _spectrum(images: Tensor, reference: Reference) -> dict[str, Tensor]:
    power = features.spectrum(images)
    total = reference.power.sum()
    numbers = {"fine": features.high_share(power) - reference.fine}
    for period, real in reference.lattices.items():
        numbers[f"pattern_{period}"] = (features.lattice(power, period) - real) / total
    return numbers


def _colours(images: Tensor, reference: Reference) -> dict[str, Tensor]:
    seen = features.colours(images)
    real = reference.colours
    shift = (seen.mean - real.mean).abs()
    contrast = (seen.spread.clamp_min(1e-3) / real.spread.clamp_min(1e-3)).log2()
    return {
        "shift": (shift / reference.channel_sd).max(),
        "contrast": contrast[contrast.abs().argmax()],
        "chroma": (seen.chroma + 1e-3).log2() - (real.chroma + 1e-3).log2(),
        "clipped": seen.clipped - real.clipped,
    }


def copies(distances: Tensor) -> Tensor:
    """The share of pictures that are copies, from their distances (N, M) to training pictures.

    A copy is far closer to one picture than to the others; a new picture is about as far from its
    nearest as from the fifth. A tensor ().
    """
    count = min(5, distances.shape[1])
    nearest = distances.topk(count, dim=1, largest=False).values
    return (nearest[:, 0] < COPY * nearest[:, -1]).float().mean()


def floors(reference: Reference) -> dict[str, float]:
    """The same numbers of real pictures that are new to the reference: what a perfect G reaches."""
    fresh, rest = reference.fresh()
    enough = len(reference.held_out) >= MIN_PICTURES
    images = reference.held_out[:GRID] if enough else reference.real[:GRID]
    texture = reference.texture_of(images)
    numbers = {
        "far_floor": statistics.energy_distance(fresh, rest),
        "texture_floor": statistics.energy_distance(
            texture, reference.texture, reference.texture_within
        ),
        "copies_floor": copies(torch.cdist(fresh, rest)),
    }
    return {name: float(value) for name, value in numbers.items()}
