"""What the first screen says of a run in numbers: three of them with intervals, and a few facts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from gankit.core.clock import format_duration
from gankit.core.run.all_stages import count_pictures
from gankit.core.shell import join_command
from gankit_report.recorded import Recorded

COUNT = 3  # numbers on the first screen
LOOKS = 5  # of the doctor, or rows of the log, that a number summarises
FIRST = ("kid", "swd")  # measures that are shown before others


@dataclass(frozen=True)
class Number:
    """A number of a run, with the interval in which it lies."""

    label: str
    value: str
    interval: str
    about: str  # what it means, and what the interval is


# Columns of log.csv that say something if nothing was measured; the first ones that a run has.
LOGGED = {  # column -> label and meaning
    "doctor.far": ("distance to real pictures", "0 is alike, 1 is nothing alike"),
    "doctor.auc": ("D tells real from fake", "0.5 is guessing, 1 is always"),
    "doctor.diversity": ("variety", "1 is as varied as real pictures, 0 is always the same"),
    "d_real": ("D(x)", "D's mean answer to real pictures"),
    "d_fake": ("D(G(z))", "D's mean answer to fakes"),
    "d_loss": ("D's loss", "who is ahead, not how good the pictures are"),
    "g_loss": ("G's loss", "who is ahead, not how good the pictures are"),
}


def three_numbers(recorded: Recorded) -> list[Number]:
    """What was measured last, with its 95 % interval; then numbers of the log, up to three."""
    numbers = [*_measured(recorded), *_logged(recorded)]
    return numbers[:COUNT]


def measuring_command(recorded: Recorded) -> str:
    """The command that measures a run; empty if it was measured."""
    if recorded.metrics:
        return ""
    return join_command(["gankit", "evaluate", str(recorded.run.folder)])


def facts(recorded: Recorded) -> list[str]:
    """How long the run was, and what it trained: `1,875 of 1,875 steps`, `60,000 pictures`."""
    run = recorded.run
    step = recorded.steps[-1] if recorded.steps else 0
    texts = [
        f"{step:,} of {run.steps:,} steps",
        f"{count_pictures(run, step):,} pictures",
    ]
    if run.stages:
        begins = " and ".join(f"{stage.step:,}" for stage in run.stages)
        texts.append(f"settings changed at step {begins}")
    seconds = recorded.column("seconds")
    if seconds and math.isfinite(seconds[-1]):
        texts.append(format_duration(seconds[-1]))
    texts += _best(recorded)
    data = ", ".join(run.data) or str(run.dataset)
    return [*texts, f"data {data}", f"model {run.model}", f"seed {run.seed}"]


def _best(recorded: Recorded) -> Iterator[str]:
    """Which checkpoint is the best, and its number: `best kid 0.31 at step 1,200`."""
    if recorded.best is None:
        return
    name = recorded.run.keep_best
    rows = [row for row in recorded.metrics if row["metric"] == name]
    values = [row["value"] for row in rows if row["step"] == recorded.best]
    number = "" if not values or values[0] is None else f" {format_number(values[0])}"
    yield f"best {name}{number} at step {recorded.best:,}"


def format_number(value: float) -> str:
    """Three significant digits, and all digits before the point."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def _measured(recorded: Recorded) -> Iterator[Number]:
    last = {row["metric"]: row for row in recorded.metrics}
    names = sorted(last, key=lambda name: (not name.startswith(FIRST), name))
    for name in names:
        row = last[name]
        if row["value"] is None or row["low"] is None or row["high"] is None:
            continue
        floor = "" if row["floor"] is None else f"; real pictures: {format_number(row['floor'])}"
        about = f"{row['better']} is better{floor}; 95 % interval, at step {row['step']:,}"
        interval = f"{format_number(row['low'])} to {format_number(row['high'])}"
        yield Number(name, format_number(row["value"]), interval, about)


def _logged(recorded: Recorded) -> Iterator[Number]:
    for name, (label, meaning) in LOGGED.items():
        values = [value for value in recorded.column(name) if math.isfinite(value)][-LOOKS:]
        if values:
            interval = f"{format_number(min(values))} to {format_number(max(values))}"
            about = f"{meaning}; median and range of the last {len(values)} {name} in log.csv"
            yield Number(label, format_number(statistics.median(values)), interval, about)
