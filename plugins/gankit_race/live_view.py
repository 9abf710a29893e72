"""The live view of a race in a terminal, from 40 columns up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gankit.cli.terminal.rich_console import output_console
from gankit.core.printable import printable
from gankit_race.plain_view import PlainView
from gankit_race.plan import Plan
from gankit_race.report.format import format_number
from gankit_race.results import SPEED, Row
from gankit_race.variants import Variant


class LiveView(PlainView):
    """Shows the time left, a bar for the whole race, the current run, and each variant's means."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self.console = console or output_console()  # the one that gankit.cli.terminal.log uses too
        self.live = Live(console=self.console, auto_refresh=False)
        self.activity = ""
        self.scalars: Mapping[str, Any] = {"d_loss": math.nan, "g_loss": math.nan}

    def race_begins(self, plan: Plan, rows: Sequence[Row], folder: Path) -> None:
        super().race_begins(plan, rows, folder)
        self.live.start()
        self.refresh()

    def run_begins(self, variant: Variant, seed: int) -> None:
        self.progress.begin_run(variant, seed)
        self.first_step = None
        self.activity = f"{variant.label}, seed {seed}"
        self.refresh()

    def show_step(self, scalars: Mapping[str, Any]) -> None:
        self.scalars = scalars
        self.refresh()

    def measuring_begins(self) -> None:
        super().measuring_begins()
        self.activity += ", measuring"
        self.refresh()

    def run_ends(self, row: Row) -> None:
        self.progress.end_run(row)
        self.refresh()

    def race_ends(self) -> None:
        if self.live.is_started:
            self.live.update(Text(""), refresh=True)  # the report is printed next
            self.live.stop()

    def refresh(self) -> None:
        self.live.update(self.render(), refresh=True)

    def render(self) -> Group:
        """The view as a rich renderable."""
        progress = self.progress
        width = min(self.console.width, 80)
        finished = len(progress.rows)
        share = progress.step / max(1, progress.steps) if progress.current else 0.0
        heading = Text(
            f"run {min(finished + 1, progress.total)} of {progress.total}  left {self.time_left()}"
        )
        bar = Table.grid()  # a bar alone does not end its line
        bar.add_row(ProgressBar(total=progress.total, completed=finished + share, width=width))
        losses = "  ".join(f"{name} {self.scalars[name]:.2f}" for name in ("d_loss", "g_loss"))
        steps = Text(f"step {progress.step:,}/{progress.steps:,}  {losses}", style="dim")
        return Group(
            heading, bar, Text(printable(self.activity), style="bold"), steps, self._variants()
        )

    def _variants(self) -> Table:
        progress = self.progress
        names = [*progress.plan.metrics, SPEED]
        table = Table(box=None, padding=(0, 1), pad_edge=False)
        for column in ("variant", "runs", *names):
            table.add_column(
                Text(printable(column)), justify="left" if column == "variant" else "right"
            )
        for variant in progress.plan.variants:
            rows = [row for row in progress.rows if row.variant == variant.label]
            means = [_format_mean([row.value(name) for row in rows]) for name in names]
            runs = f"{len(rows)}/{len(progress.plan.seeds)}"
            running = progress.current is not None and progress.current[0] is variant
            label = Text(printable(variant.label), style="bold" if running else "", overflow="fold")
            table.add_row(label, runs, *means)
        return table


def _format_mean(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    return format_number(fmean(numbers)) if numbers else ""
