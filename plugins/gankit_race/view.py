"""What a person sees of a race while it runs: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from gankit.core.clock import format_duration
from gankit.core.hookspecs import hookimpl
from gankit_race.format import number
from gankit_race.plan import Plan
from gankit_race.results import SPEED, Row
from gankit_race.vary import Variant

SECONDS_BETWEEN = 20  # plain lines about one run


class Course:
    """How far a race has come, and how long the rest will take."""

    def __init__(self, plan: Plan, rows: Sequence[Row]) -> None:
        self.plan, self.rows = plan, list(rows)
        self.total = len(plan.variants) * len(plan.seeds)
        self.now: tuple[Variant, int] | None = None
        self.step, self.steps, self.pace = 0, 1, 0.0  # of the run that is on; pace in s a step
        self.measuring: list[float] = []  # seconds that measuring a run took

    def seconds_left(self) -> float:
        """As each variant went so far, or else as it was measured before the start."""
        over = {(row.variant, row.seed) for row in self.rows}
        left = 0.0
        for variant, seed in self.plan.starts():
            if (variant.label, seed) not in over:
                begun = self.now == (variant, seed)
                steps = variant.run.steps - (self.step if begun else 0)
                pace = (begun and self.pace) or self._pace(variant)
                left += steps * pace + self._measuring()
        return left

    def _pace(self, variant: Variant) -> float:
        own = [row for row in self.rows if row.variant == variant.label and row.seconds]
        steps = sum(row.steps for row in own)
        return sum(row.seconds or 0.0 for row in own) / steps if steps else variant.step_seconds

    def _measuring(self) -> float:
        return sum(self.measuring) / len(self.measuring) if self.measuring else 0.0


class PlainView:
    """A line when a run begins, now and then, and when it is over; tells nothing twice."""

    def __init__(self) -> None:
        self.course: Course | None = None
        self.printed = self.began = 0.0
        self.first: int | None = None

    def race_begins(self, plan: Plan, rows: Sequence[Row], folder: object) -> None:
        self.course = Course(plan, rows)
        self._say(plan.command)
        what = f"{len(plan.variants)} variants, {len(plan.seeds)} seeds"
        over = f", {len(rows)} of them over" if rows else ""
        about = format_duration(self.course.seconds_left())
        self._say(f"race: {what}, {self.course.total} runs{over}; training takes about {about}")
        self._say(f"into {folder}")

    def run_begins(self, variant: Variant, seed: int) -> None:
        course = self._course()
        course.now, course.step, course.steps = (variant, seed), 0, variant.run.steps
        course.pace, self.first, self.printed = 0.0, None, time.monotonic()
        self._say(
            f"run {len(course.rows) + 1} of {course.total}: {variant.label}, seed {seed}, "
            f"{variant.run.steps:,} steps"
        )

    @hookimpl
    def run_started(self, gan):
        self.first = gan.step

    @hookimpl
    def step_done(self, step, scalars):
        course = self._course()
        course.step = step
        if step > (self.first or 0):
            course.pace = scalars["seconds"] / (step - (self.first or 0))
        self.show(scalars)

    def show(self, scalars: dict[str, float]) -> None:
        if time.monotonic() - self.printed < SECONDS_BETWEEN:
            return
        self.printed, course = time.monotonic(), self._course()
        self._say(f"  step {course.step:,} of {course.steps:,}  left {self.left()}")

    def measuring(self) -> None:
        self.began = time.monotonic()

    def measured(self) -> None:
        self._course().measuring.append(time.monotonic() - self.began)

    def run_over(self, row: Row) -> None:
        course = self._course()
        course.rows.append(row)
        course.now = None
        speed = row.value(SPEED)
        numbers = [f"{name} {number(one['value'])}" for name, one in row.measured.items()]
        numbers += [] if speed is None else [f"{number(speed)} images/s"]
        left = f"  left {self.left()}" if len(course.rows) < course.total else ""
        self._say(f"  {row.failed or '  '.join(numbers)}{left}")

    def race_over(self) -> None:
        pass

    def left(self) -> str:
        return format_duration(self._course().seconds_left())

    def _course(self) -> Course:
        assert self.course is not None, "race_begins comes first"
        return self.course

    def _say(self, line: str) -> None:
        click.echo(line)
