"""Walks in files: those that the page of `gankit explore` saves, and that of `gankit find`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.read_json import has_type, is_list_of, read_json_object
from gankit.core.randomness import latents_of_seeds
from gankit.runs.walk_classes import read_shares

DESCRIPTION = "a walk of gankit explore"
KIND = "walk"
VERSION = 1
_TYPES = {
    "gankit": str, "version": int, "latent_dim": int, "points": list,
    "seconds_per_picture": float | int, "loop": bool,
}  # fmt: skip
MAX_POINTS = 1000
MAX_SECONDS = 60  # from a picture to the next
MAX_NUMBER = 100  # in a z, whose numbers are seldom above 4


@dataclass(frozen=True)
class Walk:
    """A walk through pictures."""

    z: Tensor  # (N, latent_dim), two or more
    seconds_per_picture: float
    is_closed: bool
    shares: Tensor | None = None  # (N, num_classes), of a walk with class labels


def read_walk(path: Path, latent_dim: int, class_names: Sequence[str] = ()) -> Walk:
    """The walk in a file, which may come from anybody, for a run with this dimension of z.

    `class_names`: those of a run with class labels. GankitError if it is not such a file, or is
    for another run.
    """
    record = read_json_object(path, DESCRIPTION, _TYPES)
    reason = _find_mistake(record)
    if reason:
        raise GankitError(f"{path} is not {DESCRIPTION}: {reason}")
    if record["latent_dim"] != latent_dim:
        raise GankitError(
            f"{path} is a walk for z of {record['latent_dim']} numbers, and this run has "
            f"{latent_dim}: use the run whose page saved it"
        )
    points = record["points"]
    shares = read_shares(path, points, class_names)
    z = [_latents(path, index, point, latent_dim) for index, point in enumerate(points)]
    return Walk(torch.cat(z), record["seconds_per_picture"], record["loop"], shares)


def is_walk_file(path: Path) -> bool:
    """Whether a file says that it is a walk of gankit, of any version."""
    try:
        return bool(read_json_object(path, DESCRIPTION).get("gankit") == KIND)
    except GankitError:
        return False


def write_walk(path: Path, walk: Walk) -> None:
    """Write a walk as a file that `read_walk` reads. Raises OSError."""
    record = {
        "gankit": KIND,
        "version": VERSION,
        "latent_dim": walk.z.shape[1],
        "points": [_point(walk, index) for index in range(len(walk.z))],
        "seconds_per_picture": walk.seconds_per_picture,
        "loop": walk.is_closed,
    }
    write_atomically(path, json.dumps(record) + "\n")


def _point(walk: Walk, index: int) -> dict[str, list[float]]:
    point = {"z": _short_numbers(walk.z[index])}
    if walk.shares is not None:
        point["class"] = _short_numbers(walk.shares[index])
    return point


def _short_numbers(row: Tensor) -> list[float]:
    return [float(f"{number:.8g}") for number in row.tolist()]


def _find_mistake(record: dict[str, Any]) -> str:
    """What is wrong with the entries of a walk; empty if nothing is."""
    missing = next((name for name in _TYPES if name not in record), "")
    if missing:
        return f"the entry {missing!r} is missing"
    if record["gankit"] != KIND:
        return f"gankit is {quote_value(record['gankit'])}"
    if record["version"] != VERSION:
        return f"version is {record['version']}, and this gankit reads version {VERSION}"
    if not 2 <= len(record["points"]) <= MAX_POINTS:
        return f"it has {len(record['points']):,} points; it needs 2 to {MAX_POINTS:,}"
    if not 0 < record["seconds_per_picture"] <= MAX_SECONDS:
        shown = record["seconds_per_picture"]
        return f"seconds_per_picture is {shown}; it must be above 0, and {MAX_SECONDS} at most"
    return ""


def _latents(path: Path, index: int, point: Any, latent_dim: int) -> Tensor:
    """The z (1, latent_dim) of a point: `{"seed": 3}` or `{"z": [...]}`. GankitError."""
    entries: dict[str, Any] = dict(point) if isinstance(point, dict) else {}
    entries.pop("class", None)  # read_shares reads it
    seed: Any = entries.get("seed")
    if set(entries) == {"seed"} and has_type(seed, int) and 0 <= seed < 2**128:
        return latents_of_seeds([seed], latent_dim)
    z: Any = entries.get("z")
    is_z = set(entries) == {"z"} and is_list_of(z, float | int) and len(z) == latent_dim
    if is_z and all(math.isfinite(number) and abs(number) <= MAX_NUMBER for number in z):
        return torch.tensor([z], dtype=torch.float32)
    expected = f'{{"seed": 3}} or {{"z": [{latent_dim} numbers]}}'
    reason = f"points[{index}] is {quote_value(point)}; it must be {expected}"
    raise GankitError(f"{path} is not {DESCRIPTION}: {reason}")
