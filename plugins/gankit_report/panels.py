"""Which charts the page shows: each panel is one idea, with a chart of it for each run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gankit.core.contracts.seen import PREFIX
from gankit.runs.log import NUMBERS, is_reported
from gankit_report.recorded import Recorded

MAX_TRICKS = 12  # panels for numbers that tricks report


@dataclass(frozen=True)
class Series:
    """A number over the steps of a run."""

    label: str
    steps: Sequence[int]
    values: Sequence[float]
    lows: Sequence[float] = ()  # of intervals, if it was measured
    highs: Sequence[float] = ()
    best: int | None = None  # the step whose checkpoint was kept as the best


@dataclass(frozen=True)
class Panel:
    """The same numbers of each run, on the same scale."""

    title: str
    about: str  # what one sees in it
    runs: Sequence[Sequence[Series]]  # for each run, its curves
    limits: tuple[float, float] | None = None  # of the y axis; None: as the values need
    levels: Sequence[float] = field(default=())  # horizontal lines


FIXED = (  # title, what one sees, label -> column of log.csv
    (
        "D's answers",
        "D(x): what D says of real pictures; D(G(z)): of fakes. If they meet, D is guessing.",
        {"D(x)": "d_real", "D(G(z))": "d_fake"},
    ),
    (
        "Losses",
        "They show who is ahead in the game, not how good the pictures are.",
        {"D's loss": "d_loss", "G's loss": "g_loss"},
    ),
    ("Penalty", "What the penalties of tricks add to D's loss.", {"penalty": "penalty"}),
    (
        "How often D is right",
        "0.5 is guessing, 1 is always. If D knows training pictures by heart, held-out rises.",
        {"real or fake": "doctor.auc", "training or held-out": "doctor.auc_held"},
    ),
    (
        "Distance to real pictures",
        "0 is alike, 1 is nothing alike.",
        {"thumbnails": "doctor.far", "details": "doctor.texture"},
    ),
    (
        "Variety of G's pictures",
        "1 is as varied as real pictures, 0 is always the same picture.",
        {"distance between pictures": "doctor.diversity", "directions": "doctor.dims"},
    ),
    (
        "Size of an update",
        "How much an update changes the weights, as a share of their size; about 0.01 is usual.",
        {"of D": "doctor.step_d", "of G": "doctor.step_g"},
    ),
)


def make_panels(runs: Sequence[Recorded]) -> list[Panel]:
    """The panels of these runs; those that no run has numbers for are left out."""
    panels = [_of_columns(runs, *fixed) for fixed in FIXED]
    panels[2:2] = _measured(runs)
    panels += _of_tricks(runs)
    return [panel for panel in panels if any(map(any, panel.runs))]


def _of_columns(runs: Sequence[Recorded], title: str, about: str, columns: dict[str, str]) -> Panel:
    curves = [
        [s for label, name in columns.items() if (s := _series(run, label, name)) is not None]
        for run in runs
    ]
    values = [value for run in curves for series in run for value in series.values]
    is_share = bool(values) and min(values) >= 0 and 0.2 < max(values) <= 1
    if {"d_loss", "g_loss"} & set(columns.values()):  # may be below 1 only by chance
        is_share = False
    return Panel(title, about, curves, limits=(0.0, 1.0) if is_share else None)


def _series(run: Recorded, label: str, name: str) -> Series | None:
    """A column of the log, without rows that lack it."""
    pairs = [
        (step, value)
        for step, value in zip(run.steps, run.column(name), strict=False)
        if math.isfinite(value)
    ]
    if not pairs:
        return None
    return Series(label, [step for step, _ in pairs], [value for _, value in pairs])


def _of_tricks(runs: Sequence[Recorded]) -> Iterator[Panel]:
    """A panel for each number that a trick reported: `ada.p`."""
    names = dict.fromkeys(name for run in runs for name in run.log)
    reported = [
        name
        for name in names
        if is_reported(name) and name not in NUMBERS and not name.startswith(PREFIX)
    ]
    for name in reported[:MAX_TRICKS]:
        yield _of_columns(runs, name, "A number that a trick or a plugin reported.", {name: name})


def _measured(runs: Sequence[Recorded]) -> Iterator[Panel]:
    """A panel for each measure, with its intervals and its floor."""
    for name in dict.fromkeys(row["metric"] for run in runs for row in run.metrics):
        rows = [[row for row in run.metrics if _is_whole(row, name)] for run in runs]
        every_row = [row for of_run in rows for row in of_run]
        if not every_row:
            continue
        floors = [row["floor"] for row in every_row if row["floor"] is not None]
        about = f"Measured, with 95 % intervals; {every_row[-1]['better']} is better."
        if floors:
            about += " The dashed line is the value of real pictures: the best at this size."
        if any(_best_of(run, name) is not None for run in runs):
            about += " The circle is the best checkpoint."
        yield Panel(
            title=name,
            about=about,
            runs=[
                [_measured_series(name, of_run, _best_of(run, name))] if of_run else []
                for run, of_run in zip(runs, rows, strict=True)
            ],
            levels=floors[-1:],
        )


def _is_whole(row: Mapping[str, Any], name: str) -> bool:
    numbers = [row["value"], row["low"], row["high"]]
    return row["metric"] == name and all(n is not None and math.isfinite(n) for n in numbers)


def _best_of(run: Recorded, name: str) -> int | None:
    """The step of a run's best checkpoint, if it is the best by the metric of this name."""
    return run.best if run.run.keep_best == name else None


def _measured_series(name: str, rows: Sequence[Mapping[str, Any]], best: int | None) -> Series:
    columns = {key: [float(row[key]) for row in rows] for key in ("step", "value", "low", "high")}
    steps = [int(step) for step in columns["step"]]
    return Series(name, steps, columns["value"], columns["low"], columns["high"], best)
