"""The live view of a race in a terminal, from 40 columns up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gankit_race.format import number
from gankit_race.results import SPEED, Row
from gankit_race.vary import Variant
from gankit_race.view import PlainView


class LiveView(PlainView):
    """Time left, a bar over the whole race, the run that is on, and each variant so far."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self.console = console or Console()
        self.live = Live(console=self.console, auto_refresh=False)
        self.doing, self.scalars = "", {"d_loss": math.nan, "g_loss": math.nan}
        self.before: int | None = None  # runs that were over when this start began

    def race_begins(self, plan, rows, folder):
        super().race_begins(plan, rows, folder)
        self.live.start()
        self.refresh()

    def run_begins(self, variant: Variant, seed: int) -> None:
        course = self._course()
        course.now, course.step, course.steps = (variant, seed), 0, variant.run.steps
        course.pace, self.first = 0.0, None
        self.doing = f"{variant.label}, seed {seed}"
        self.refresh()

    def show(self, scalars):
        self.scalars = scalars
        self.refresh()

    def measuring(self):
        super().measuring()
        self.doing += ", measuring"
        self.refresh()

    def run_over(self, row: Row) -> None:
        course = self._course()
        course.rows.append(row)
        course.now, course.step = None, 0
        self.refresh()

    def race_over(self):
        if self.live.is_started:
            self.live.update(Text(""), refresh=True)  # the tables that follow say more
            self.live.stop()

    def refresh(self):
        self.live.update(self.picture(), refresh=True)

    def picture(self):
        """Everything there is to see, as a rich renderable."""
        course, width = self._course(), min(self.console.width, 80)
        over = len(course.rows)
        done = over + course.step / max(1, course.steps) * (course.now is not None)
        heading = Text(f"run {min(over + 1, course.total)} of {course.total}  left {self.left()}")
        bar = Table.grid()  # a bar alone does not end its line
        bar.add_row(ProgressBar(total=course.total, completed=done, width=width))
        run = Text(self.doing, style="bold")
        losses = "  ".join(f"{k} {self.scalars[k]:.2f}" for k in ("d_loss", "g_loss"))
        steps = Text(f"step {course.step:,}/{course.steps:,}  {losses}", style="dim")
        return Group(heading, bar, run, steps, self._variants())

    def _variants(self):
        course = self._course()
        names = [*course.plan.metrics, SPEED]
        table = Table(box=None, padding=(0, 1), pad_edge=False)
        for column in ("variant", "runs", *names):
            table.add_column(column, justify="left" if column == "variant" else "right")
        for variant in course.plan.variants:
            own = [row for row in course.rows if row.variant == variant.label]
            means = [_mean([row.value(name) for row in own]) for name in names]
            runs = f"{len(own)}/{len(course.plan.seeds)}"
            on = course.now is not None and course.now[0] is variant
            label = Text(variant.label, style="bold" if on else "", overflow="fold")
            table.add_row(label, runs, *means)
        return table


def _mean(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    return number(fmean(numbers)) if numbers else ""
