"""The view of a race outside of a terminal: plain lines. live_view.py has the one for terminals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from gankit.core.clock import format_duration
from gankit.core.gan import Gan
from gankit.core.parts.hookspecs import hookimpl
from gankit.core.printable import printable
from gankit_race.plan import Plan
from gankit_race.report.format import format_number
from gankit_race.results import SPEED, Row
from gankit_race.variants import Variant

SECONDS_BETWEEN_LINES = 20  # about the steps of one run


class RaceProgress:
    """The progress of a race, and an estimate of the time left."""

    def __init__(self, plan: Plan, rows: Sequence[Row]) -> None:
        self.plan = plan
        self.rows = list(rows)  # of finished runs
        self.total = len(plan.variants) * len(plan.seeds)  # runs
        self.measuring_seconds: list[float] = []  # for each run measured so far
        self.current: tuple[Variant, int] | None = None  # the run that is training, with its seed
        self.step = 0  # of the current run
        self.steps = 1  # length of the current run
        self.step_seconds = 0.0  # of the current run; 0 until it has taken a step

    def begin_run(self, variant: Variant, seed: int) -> None:
        self.current = (variant, seed)
        self.step = 0
        self.steps = variant.run.steps
        self.step_seconds = 0.0

    def end_run(self, row: Row) -> None:
        self.rows.append(row)
        self.current = None
        self.step = 0

    def seconds_left(self) -> float:
        """Time left, from each variant's speed so far or else from its speed before the race."""
        finished = {(row.variant, row.seed) for row in self.rows}
        seconds = 0.0
        for variant, seed in self.plan.all_runs():
            if (variant.label, seed) in finished:
                continue
            steps = variant.run.steps
            step_seconds = self._step_seconds(variant)
            if self.current == (variant, seed):
                steps -= self.step
                step_seconds = self.step_seconds or step_seconds
            seconds += steps * step_seconds + self._mean_measuring_seconds()
        return seconds

    def _step_seconds(self, variant: Variant) -> float:
        rows = [row for row in self.rows if row.variant == variant.label and row.seconds]
        steps = sum(row.steps for row in rows)
        if not steps:
            return variant.step_seconds
        return sum(row.seconds or 0.0 for row in rows) / steps

    def _mean_measuring_seconds(self) -> float:
        return fmean(self.measuring_seconds) if self.measuring_seconds else 0.0


class PlainView:
    """Prints a line when a run begins, every 20 seconds while it trains, and when it ends."""

    def __init__(self) -> None:
        self._progress: RaceProgress | None = None
        self.printed_at = 0.0  # time of the last line about this run
        self.measuring_began = 0.0  # time
        self.first_step: int | None = None  # step at which the run started or was resumed

    def race_begins(self, plan: Plan, rows: Sequence[Row], folder: Path) -> None:
        self._progress = RaceProgress(plan, rows)
        self._print(plan.command)
        size = f"{len(plan.variants)} variants, {len(plan.seeds)} seeds"
        runs = f"{self.progress.total} runs"
        if rows:
            runs += f", {len(rows)} of them finished"
        duration = format_duration(self.progress.seconds_left())
        self._print(f"race: {size}, {runs}; training takes about {duration}")
        self._print(f"folder: {folder}")

    def run_begins(self, variant: Variant, seed: int) -> None:
        progress = self.progress
        progress.begin_run(variant, seed)
        self.first_step = None
        self.printed_at = time.monotonic()
        self._print(
            f"run {len(progress.rows) + 1} of {progress.total}: {variant.label}, seed {seed}, "
            f"{variant.run.steps:,} steps"
        )

    @hookimpl
    def run_started(self, gan: Gan) -> None:
        self.first_step = gan.step

    @hookimpl
    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        progress = self.progress
        progress.step = step
        steps = step - (self.first_step or 0)
        if steps > 0:
            progress.step_seconds = scalars["seconds"] / steps
        self.show_step(scalars)

    def show_step(self, scalars: Mapping[str, Any]) -> None:
        if time.monotonic() - self.printed_at < SECONDS_BETWEEN_LINES:
            return
        self.printed_at = time.monotonic()
        progress = self.progress
        self._print(f"  step {progress.step:,} of {progress.steps:,}  left {self.time_left()}")

    def measuring_begins(self) -> None:
        self.measuring_began = time.monotonic()

    def measuring_ends(self) -> None:
        self.progress.measuring_seconds.append(time.monotonic() - self.measuring_began)

    def run_ends(self, row: Row) -> None:
        progress = self.progress
        progress.end_run(row)
        numbers = []
        for name, measured in row.measured.items():
            numbers.append(f"{name} {format_number(measured['value'])}")
        speed = row.value(SPEED)
        if speed is not None:
            numbers.append(f"{format_number(speed)} {SPEED}")
        left = f"  left {self.time_left()}" if len(progress.rows) < progress.total else ""
        self._print(f"  {row.failed or '  '.join(numbers)}{left}")

    def race_ends(self) -> None:
        pass

    def time_left(self) -> str:
        return format_duration(self.progress.seconds_left())

    @property
    def progress(self) -> RaceProgress:
        assert self._progress is not None, "call race_begins first"
        return self._progress

    def _print(self, line: str) -> None:
        click.echo(printable(line))
