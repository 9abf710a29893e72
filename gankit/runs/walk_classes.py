"""The classes of a walk in a file: a point may have `"class"`, a name or shares of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.read_json import is_list_of
from gankit.runs.find_class import find_class

MAX_SHARE = 10  # A - B + C of the page has shares beyond 0 and 1


def read_shares(path: Path, points: Sequence[Any], names: Sequence[str]) -> Tensor | None:
    """The shares (N, num_classes) of the classes at each point; None if no point has a class.

    GankitError if only some points have one, or if this run does not have these classes.
    """
    with_class = [isinstance(point, dict) and "class" in point for point in points]
    if not any(with_class):
        return None
    if not names:
        raise GankitError(
            f"{path} is a walk with classes, and this run has no class labels: use the run whose "
            "page saved it"
        )
    if not all(with_class):
        index = with_class.index(False)
        raise GankitError(
            f"{path}: points[{index}] has no class, and others have: give all a class"
        )
    rows = [_read(path, index, point["class"], names) for index, point in enumerate(points)]
    return torch.tensor(rows, dtype=torch.float32)


def _read(path: Path, index: int, value: Any, names: Sequence[str]) -> list[float]:
    """The shares of a class by name or number, or a list of them as it is."""
    if is_list_of(value, float | int):
        shares = [float(number) for number in value]
        has_sum = math.isclose(sum(shares), 1, abs_tol=0.01)
        if len(shares) == len(names) and has_sum and max(map(abs, shares)) <= MAX_SHARE:
            return shares
        reason = f"it must be {len(names)} numbers with the sum 1"
        raise GankitError(f"{path}: the class of points[{index}] is {quote_value(value)}; {reason}")
    try:
        number = find_class(names, value)
    except GankitError as error:
        raise GankitError(f"{path}, points[{index}]: {error}") from None
    return [float(other == number) for other in range(len(names))]
