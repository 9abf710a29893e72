"""What a person sees of a race while it runs: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gankit.core.clock import format_duration
from gankit.core.gan import Gan
from gankit.core.hookspecs import hookimpl
from gankit_race.format import number
from gankit_race.plan import Plan
from gankit_race.results import SPEED, Row
from gankit_race.vary import Variant

SECONDS_BETWEEN = 20  # plain lines about one run


class RaceProgress:
    """How far a race has come, and how long the rest will take."""

    def __init__(self, plan: Plan, rows: Sequence[Row]) -> None:
        self.plan = plan
        self.rows = list(rows)  # of the runs that are over
        self.total = len(plan.variants) * len(plan.seeds)
        self.measuring: list[float] = []  # seconds that measuring a run took
        self.current: tuple[Variant, int] | None = None  # and its seed
        self.step = 0  # of the current run
        self.steps = 1  # that the current run takes
        self.step_seconds = 0.0  # of the current run; 0 until it is measured

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
        """As each variant went so far, or else as it was measured before the start."""
        over = {(row.variant, row.seed) for row in self.rows}
        seconds = 0.0
        for variant, seed in self.plan.starts():
            if (variant.label, seed) in over:
                continue
            steps = variant.run.steps
            step_seconds = self._step_seconds(variant)
            if self.current == (variant, seed):
                steps -= self.step
                step_seconds = self.step_seconds or step_seconds
            seconds += steps * step_seconds + self._measuring_seconds()
        return seconds

    def _step_seconds(self, variant: Variant) -> float:
        own = [row for row in self.rows if row.variant == variant.label and row.seconds]
        steps = sum(row.steps for row in own)
        return sum(row.seconds or 0.0 for row in own) / steps if steps else variant.step_seconds

    def _measuring_seconds(self) -> float:
        return sum(self.measuring) / len(self.measuring) if self.measuring else 0.0


class PlainView:
    """A line when a run begins, now and then, and when it is over; nothing is printed twice."""

    def __init__(self) -> None:
        self.race: RaceProgress | None = None
        self.printed = 0.0  # when the last line about this run was
        self.measuring_began = 0.0
        self.first_step: int | None = None  # of this run since it was started or resumed

    def race_begins(self, plan: Plan, rows: Sequence[Row], folder: Path) -> None:
        self.race = RaceProgress(plan, rows)
        self._print(plan.command)
        size = f"{len(plan.variants)} variants, {len(plan.seeds)} seeds"
        over = f", {len(rows)} of them over" if rows else ""
        about = format_duration(self.race.seconds_left())
        self._print(f"race: {size}, {self.race.total} runs{over}; training takes about {about}")
        self._print(f"into {folder}")

    def run_begins(self, variant: Variant, seed: int) -> None:
        race = self._race()
        race.begin_run(variant, seed)
        self.first_step = None
        self.printed = time.monotonic()
        self._print(
            f"run {len(race.rows) + 1} of {race.total}: {variant.label}, seed {seed}, "
            f"{variant.run.steps:,} steps"
        )

    @hookimpl
    def run_started(self, gan: Gan) -> None:
        self.first_step = gan.step

    @hookimpl
    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        race = self._race()
        race.step = step
        steps = step - (self.first_step or 0)
        if steps > 0:
            race.step_seconds = scalars["seconds"] / steps
        self.show(scalars)

    def show(self, scalars: Mapping[str, Any]) -> None:
        if time.monotonic() - self.printed < SECONDS_BETWEEN:
            return
        self.printed = time.monotonic()
        race = self._race()
        self._print(f"  step {race.step:,} of {race.steps:,}  left {self.left()}")

    def measuring(self) -> None:
        self.measuring_began = time.monotonic()

    def measured(self) -> None:
        self._race().measuring.append(time.monotonic() - self.measuring_began)

    def run_over(self, row: Row) -> None:
        race = self._race()
        race.end_run(row)
        numbers = [f"{name} {number(measured['value'])}" for name, measured in row.measured.items()]
        speed = row.value(SPEED)
        if speed is not None:
            numbers.append(f"{number(speed)} images/s")
        left = f"  left {self.left()}" if len(race.rows) < race.total else ""
        self._print(f"  {row.failed or '  '.join(numbers)}{left}")

    def race_over(self) -> None:
        pass

    def left(self) -> str:
        return format_duration(self._race().seconds_left())

    def _race(self) -> RaceProgress:
        assert self.race is not None, "race_begins comes first"
        return self.race

    def _print(self, line: str) -> None:
        click.echo(line)
