"""From series to what templates/panels.html draws, and to the numbers that the slider shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gankit.cli.page.charts import Axis, line_path, robust_range
from gankit.core.run.all_stages import describe_stages
from gankit.core.run.settings import Run
from gankit_report.headline import format_number
from gankit_report.panels import Panel, Series

WIDTH = 480  # px of a chart, in its own units
HEIGHT = 150
LEFT = 40  # px for the numbers on the y axis
BOTTOM = 18  # px for the steps
MAX_POINTS = 600  # of a series, for the number beside the slider
TABLE_ROWS = 9  # of the table of numbers below a chart


@dataclass(frozen=True)
class Curve:
    """One series of a chart."""

    label: str
    path: str
    bars: Sequence[tuple[float, float, float]]  # x, and y of both ends of an interval
    circle: tuple[float, float] | None  # x and y of the best checkpoint
    index: int  # among the series of the run, for the number at the slider
    final: str


@dataclass(frozen=True)
class Chart:
    """The chart of one run in a panel."""

    curves: Sequence[Curve]
    stages: Sequence[tuple[str, float]]  # what changed where a stage of the run begins, and its x
    summary: str  # what it shows, for a screen reader
    table: Sequence[tuple[str, Sequence[str]]]  # step, and the numbers of all curves


@dataclass(frozen=True)
class Drawing:
    """A panel with its charts, one for each run."""

    title: str
    about: str
    charts: Sequence[Chart]
    y_ticks: Sequence[tuple[str, float]]
    levels: Sequence[float]


def x_axis(last_step: int) -> Axis:
    """The axis of steps, the same for all charts of a page."""
    return Axis(0, max(1, last_step), LEFT, WIDTH - 1)


def draw_panels(
    panels: Sequence[Panel], last_step: int, runs: Sequence[Run]
) -> tuple[list[Drawing], list[list[dict[str, Any]]]]:
    """The drawings of panels; and for each run its series, thinned, for the slider's numbers."""
    numbers: list[list[dict[str, Any]]] = [[] for _ in runs]
    stages = [_stages(run, x_axis(last_step)) for run in runs]
    drawings = []
    for panel in panels:
        y_axis = Axis(*(panel.limits or _limits(panel)), HEIGHT - BOTTOM, 8)
        charts = []
        for curves, of_run, begins in zip(panel.runs, numbers, stages, strict=True):
            charts.append(_draw_chart(curves, begins, x_axis(last_step), y_axis, len(of_run)))
            of_run += map(_thinned, curves)
        drawings.append(
            Drawing(
                title=panel.title,
                about=panel.about,
                charts=charts,
                y_ticks=[(format_number(value), y) for value, y in y_axis.ticks()],
                levels=[y_axis.px(level) for level in panel.levels],
            )
        )
    return drawings, numbers


def _limits(panel: Panel) -> tuple[float, float]:
    every_series = [series for curves in panel.runs for series in curves]
    values = [value for series in every_series for value in series.values]
    ends = [end for series in every_series for end in (*series.lows, *series.highs)]
    return robust_range([*values, *ends, *panel.levels])


def _stages(run: Run, x: Axis) -> list[tuple[str, float]]:
    begins = [x.px(stage.step) for stage in run.stages]
    return list(zip(describe_stages(run), begins, strict=True))


def _draw_chart(
    curves: Sequence[Series], stages: Sequence[tuple[str, float]], x: Axis, y: Axis, first: int
) -> Chart:
    drawn = [
        Curve(
            label=series.label,
            path=line_path(series.steps, series.values, x, y),
            bars=list(_bars(series, x, y)),
            circle=_circle(series, x, y),
            index=first + number,
            final=format_number(series.values[-1]),
        )
        for number, series in enumerate(curves)
    ]
    summary = "; ".join([*map(_summarize, curves), *(text for text, _ in stages)])
    return Chart(drawn, stages, summary, list(_table(curves)))


def _bars(series: Series, x: Axis, y: Axis) -> Iterator[tuple[float, float, float]]:
    for step, low, high in zip(series.steps, series.lows, series.highs, strict=False):
        yield x.px(step), y.px(low), y.px(high)


def _circle(series: Series, x: Axis, y: Axis) -> tuple[float, float] | None:
    """Where the value of the best checkpoint is; None if it was not measured."""
    for step, value in zip(series.steps, series.values, strict=True):
        if step == series.best:
            return x.px(step), y.px(value)
    return None


def _summarize(series: Series) -> str:
    """A curve in words: where it begins and ends, and between which values it lies."""
    numbers = [series.values[0], series.values[-1], min(series.values), max(series.values)]
    first, last, low, high = map(format_number, numbers)
    return f"{series.label}: {first} at first, {last} at last, between {low} and {high}"


def _table(curves: Sequence[Series]) -> Iterator[tuple[str, list[str]]]:
    """Some rows: the numbers of all curves at steps that the first of them has."""
    if not curves:
        return
    steps = curves[0].steps
    count = min(TABLE_ROWS, len(steps))
    for row in range(count):
        step = steps[round(row * (len(steps) - 1) / max(1, count - 1))]
        yield f"{step:,}", [_value_at(series, step) for series in curves]


def _value_at(series: Series, step: int) -> str:
    """The newest value up to a step; empty if there is none yet."""
    before = [v for s, v in zip(series.steps, series.values, strict=True) if s <= step]
    return format_number(before[-1]) if before else ""


def _thinned(series: Series) -> dict[str, Any]:
    """Steps and values of a series, for a script."""
    stride = -(-len(series.steps) // MAX_POINTS) or 1
    return {
        "steps": list(series.steps[::-1][::stride][::-1]),
        "values": [float(f"{value:.4g}") for value in series.values[::-1][::stride][::-1]],
    }
