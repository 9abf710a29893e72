"""The drawings on a race's page: where each line and dot goes; templates/race_charts.html draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gankit.runs.figures import downsample
from gankit_race.format import number
from gankit_race.results import Table

WIDTH = 440  # of a drawing of differences
LINE = 50  # px: a variant's name and line in it
EDGE = 8  # px on both sides
CURVE_WIDTH = 300
CURVE_HEIGHT = 130
POINTS = 150  # of a curve
LOSSES = ("d_loss", "g_loss")

Log = Sequence[Mapping[str, str]]  # the rows of a run's log.csv


@dataclass(frozen=True, kw_only=True)
class DifferenceLine:
    """One variant's difference to the baseline, in px from the left."""

    variant: str
    tone: str  # better, worse or same
    y: int
    mean: float
    low: float | None
    high: float | None
    seeds: list[float]


@dataclass(frozen=True, kw_only=True)
class DifferenceChart:
    """Every variant's difference to the baseline in one measure."""

    label: str
    width: int
    height: int
    zero: float
    ends: list[tuple[float, str, str]]  # x, text and text-anchor of the numbers below
    lines: list[DifferenceLine]


@dataclass(frozen=True, kw_only=True)
class LossChart:
    """Both losses over a run, as points of a curve."""

    width: int
    height: int
    curves: dict[str, list[str]]
    top: str
    length: str


def difference_chart(table: Table) -> DifferenceChart | None:
    """The drawing of a table; None if no variant has a difference to the baseline."""
    compared = [(row, row.difference) for row in table.rows[1:] if row.difference]
    values = [value for _, difference in compared for value in difference.values]
    if not values:
        return None
    low = min(*values, 0.0)
    high = max(*values, 0.0)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(EDGE + (value - low) / span * (WIDTH - 2 * EDGE), 1)

    ends = [(x(low), number(low, "+"), "start"), (x(high), number(high, "+"), "end")]
    lines = [
        DifferenceLine(
            variant=row.variant,
            tone=row.verdict if row.verdict in ("better", "worse") else "same",
            y=place * LINE + 30,
            mean=x(difference.mean),
            low=None if difference.low is None else x(difference.low),
            high=None if difference.high is None else x(difference.high),
            seeds=[x(value) for value in difference.each],
        )
        for place, (row, difference) in enumerate(compared)
    ]
    return DifferenceChart(
        label=f"differences to {table.rows[0].variant} in {table.measure}",
        width=WIDTH,
        height=LINE * len(lines) + 22,
        zero=x(0),
        ends=[end for end in ends if abs(end[0] - x(0)) > 60],
        lines=lines,
    )


def loss_chart(log: Log, top: float) -> LossChart:
    """d_loss and g_loss over a run, up to `top`."""
    curves = {}
    for name in LOSSES:
        values = downsample([float(row[name]) for row in log if row.get(name)], POINTS)
        steps = max(1, len(values) - 1)
        if values:
            curves[name] = [
                f"{index / steps * CURVE_WIDTH:.1f} {_height(value / top):.1f}"
                for index, value in enumerate(values)
            ]
    kimg = float(log[-1]["kimg"]) if log else 0.0
    return LossChart(
        width=CURVE_WIDTH,
        height=CURVE_HEIGHT,
        curves=curves,
        top=number(top),
        length=f"{kimg:,.4g} kimg",
    )


def _height(share: float) -> float:
    """px from the top of the drawing; beyond the edge is drawn at the edge."""
    return CURVE_HEIGHT * (1 - max(0.0, min(1.0, share)))


def highest_loss(logs: Sequence[Log]) -> float:
    """A height that nearly all losses stay under, the same for every run on the page."""
    losses = sorted(float(row[name]) for log in logs for row in log for name in LOSSES if row[name])
    return max(losses[int(0.98 * (len(losses) - 1))], 1e-6) if losses else 1.0
