"""Positions in the SVG charts of HTML pages; the templates of the pages draw them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_TICKS = 6


@dataclass(frozen=True)
class Axis:
    """A linear scale: values from `low` to `high` lie from `start` to `end`, in px."""

    low: float
    high: float
    start: float
    end: float

    def px(self, value: float) -> float:
        """Where a value lies; values outside of the scale lie at its end."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 1)

    def ticks(self, count: int = 4) -> list[tuple[float, float]]:
        """About `count` round numbers on the scale, each with its px."""
        span = self.high - self.low
        if not (0 < span < math.inf):
            return [(self.low, self.px(self.low))]
        size = _round_up(span / count)
        first = math.ceil(self.low / size - 1e-9)
        last = math.floor(self.high / size + 1e-9)
        numbers = [index * size for index in range(first, last + 1)]
        return [(float(f"{number:.6g}"), self.px(number)) for number in numbers[: 2 * MAX_TICKS]]


def _round_up(size: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... times a power of ten."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= size * (1 - 1e-9))


def line_path(xs: Sequence[float], ys: Sequence[float], x_axis: Axis, y_axis: Axis) -> str:
    """The `d` of an SVG path through the points; points that are not finite are left out.

    Of several points in one px column, the lowest and the highest stay, so that a long log makes a
    short path that looks the same.
    """
    points = [(x_axis.px(x), y_axis.px(y)) for x, y in zip(xs, ys, strict=True) if _finite(x, y)]
    if not points:
        return ""
    kept: list[tuple[float, float]] = []
    for _, column in itertools.groupby(points, key=lambda point: int(point[0])):
        kept += _extremes(list(column))
    start, *rest = [f"{x:g} {y:g}" for x, y in kept]
    # A line to the same point makes a single point visible, as a dot.
    return f"M{start}L{'L'.join(rest or [start])}"


def _finite(x: float, y: float) -> bool:
    return math.isfinite(x) and math.isfinite(y)


def _extremes(column: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The lowest and the highest of the points, in their order."""
    if len(column) <= 2:
        return column
    by_height = sorted(range(len(column)), key=lambda index: column[index][1])
    return [column[index] for index in sorted({by_height[0], by_height[-1]})]


def robust_range(values: Iterable[float]) -> tuple[float, float]:
    """Limits of a y axis: from the 1 % to the 99 % quantile, and to 0 if that is not far away."""
    finite = sorted(value for value in values if math.isfinite(value))
    if not finite:
        return 0.0, 1.0
    last = len(finite) - 1
    low = finite[math.floor(0.01 * last)]
    high = finite[math.ceil(0.99 * last)]
    if 0 < low < high:
        low = 0.0
    if low < high < 0:
        high = 0.0
    return (low, high) if low < high else (low - 0.5, high + 0.5)
