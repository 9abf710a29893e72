"""Charts of a race's page: coordinates; gankit_race/templates/race_charts.html draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gankit.cli.page.charts import Axis
from gankit.runs.figures import downsample
from gankit_race.report.format import format_number
from gankit_race.results import Table
from gankit_race.stats import BETTER, WORSE

WIDTH = 440  # px, of a chart of differences
LINE_HEIGHT = 50  # px, for one variant
MARGIN = 8  # px on both sides
CURVE_WIDTH = 300  # px
CURVE_HEIGHT = 130
POINTS = 150  # of a curve
LOSSES = ("d_loss", "g_loss")

Log = Sequence[Mapping[str, str]]  # the rows of a run's log.csv


@dataclass(frozen=True, kw_only=True)
class DifferenceLine:
    """One variant's difference from the baseline, in px from the left."""

    variant: str
    tone: str  # CSS class: better, worse or same
    y: int
    mean: float
    low: float | None
    high: float | None
    seeds: list[float]


@dataclass(frozen=True, kw_only=True)
class DifferenceChart:
    """Each variant's difference from the baseline in one measure."""

    label: str
    width: int
    height: int
    zero: float
    ends: list[tuple[float, str, str]]  # x, text and text-anchor of numbers on the x axis
    lines: list[DifferenceLine]


@dataclass(frozen=True, kw_only=True)
class LossChart:
    """The losses of a run, as points of a curve."""

    width: int
    height: int
    curves: dict[str, list[str]]  # name of a loss -> `x y` of each point
    top: str  # the loss at the upper edge
    length: str  # of the run


def difference_chart(table: Table) -> DifferenceChart | None:
    """The chart of a table; None if no variant can be compared with the baseline."""
    compared = [(row, row.difference) for row in table.rows[1:] if row.difference]
    values = [value for _, difference in compared for value in difference.values]
    if not values:
        return None
    low = min(*values, 0.0)
    high = max(*values, 0.0)
    x = Axis(low, high, MARGIN, WIDTH - MARGIN).px
    ends = [(x(low), format_number(low, "+"), "start"), (x(high), format_number(high, "+"), "end")]
    lines = [
        DifferenceLine(
            variant=row.variant,
            tone=row.verdict if row.verdict in (BETTER, WORSE) else "same",
            y=index * LINE_HEIGHT + 30,
            mean=x(difference.mean),
            low=None if difference.low is None else x(difference.low),
            high=None if difference.high is None else x(difference.high),
            seeds=[x(value) for value in difference.each],
        )
        for index, (row, difference) in enumerate(compared)
    ]
    return DifferenceChart(
        label=f"differences from {table.rows[0].variant} in {table.measure}",
        width=WIDTH,
        height=LINE_HEIGHT * len(lines) + 22,
        zero=x(0),
        ends=[end for end in ends if abs(end[0] - x(0)) > 60],
        lines=lines,
    )


def loss_chart(log: Log, top: float) -> LossChart:
    """The chart of a run's losses; `top` is the loss at its upper edge."""
    curves = {}
    height = Axis(0.0, top, CURVE_HEIGHT, 0.0)
    for name in LOSSES:
        values = downsample([float(row[name]) for row in log if row.get(name)], POINTS)
        width = Axis(0, len(values) - 1, 0.0, CURVE_WIDTH)
        if values:
            curves[name] = [
                f"{width.px(index):.1f} {height.px(value):.1f}"
                for index, value in enumerate(values)
            ]
    kimg = float(log[-1].get("kimg") or 0.0) if log else 0.0
    return LossChart(
        width=CURVE_WIDTH,
        height=CURVE_HEIGHT,
        curves=curves,
        top=format_number(top),
        length=f"{kimg:,.4g} kimg",
    )


def upper_loss(logs: Sequence[Log]) -> float:
    """The 98 % quantile of all losses: the upper edge of every chart on the page."""
    texts = (row.get(name) for log in logs for row in log for name in LOSSES)
    losses = sorted(float(text) for text in texts if text)
    return max(losses[int(0.98 * (len(losses) - 1))], 1e-6) if losses else 1.0
