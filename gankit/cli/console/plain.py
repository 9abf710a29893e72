"""The view for logs, pipes and `!gankit run`: a line every few seconds, later every minute."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.cli.console.format import (
    explain_changes,
    explain_stages,
    explain_terms,
    summarize_outcome,
    whole_run,
)
from gankit.cli.console.recommend import recommend_recipe
from gankit.cli.console.time_left import TimeLeft
from gankit.core.files.retried_write import RetriedWrite
from gankit.core.printable import printable
from gankit.core.run.settings import Run, command_line

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.core.gan import Gan

MIN_SECONDS_BETWEEN_LINES = 5
MAX_SECONDS_BETWEEN_LINES = 60


class PlainView:
    """Prints how a run starts, its losses now and then, and how it ended."""

    def __init__(self, run: Run, gan: Gan) -> None:
        self.run = run
        self.first_step = gan.step
        self.time_left = TimeLeft(gan)
        self.saved_step = gan.step
        self.grid: Path | None = None
        self.best: Any = None  # the best measurement so far, with --keep-best
        self.last_print = 0.0  # time.monotonic()
        self.writes = RetriedWrite("the output", "later lines are printed")
        whole = whole_run(run)
        self.print(command_line(whole))
        start = "training" if gan.step == 0 else f"resuming at step {gan.step:,}"
        self.print(f"{start}: {run.steps:,} steps on {run.device}, into {run.folder}")
        for stage in explain_stages(run, whole, gan.step):
            self.print(stage)
        if changes := explain_changes(run):
            self.print(changes)
        if terms := explain_terms(run, gan.step):
            self.print(terms)
        if recommendation := recommend_recipe(run):
            self.print(f"advice: {recommendation}")

    def print(self, line: str) -> None:
        with self.writes.attempt():
            print(printable(line), flush=True)

    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        speed = self.time_left.update(step, scalars["seconds"])
        now = time.monotonic()
        pause = seconds_between_lines(scalars["seconds"])
        if now - self.last_print < pause and step < self.run.steps:
            return
        self.last_print = now
        activities = [f"{name} {text}" for name, text in scalars["activity"].items() if text]
        columns = [
            f"step {step:,}/{self.run.steps:,}",
            f"{speed:.1f}/s",
            f"left {self.time_left.describe(self.run.steps - step)}",
            f"d_loss {scalars['d_loss']:.2f}",
            f"g_loss {scalars['g_loss']:.2f}",
            f"D(x) {scalars['d_real']:.2f}",
            f"D(G(z)) {scalars['d_fake']:.2f}",
        ]
        if activities:
            columns.append("; ".join(activities))
        self.print("  ".join(columns))

    def samples_drawn(self, grid: Path, images: Tensor) -> None:
        self.grid = grid

    def finished(self, outcome: dict[str, Any]) -> None:
        for line in summarize_outcome(self.run, self.first_step, outcome):
            self.print(line)


def seconds_between_lines(elapsed: float) -> float:
    """The pause after a line of a run that has taken `elapsed` seconds; a long run waits longer.

    So a run of ten hours prints some hundred lines, not thousands.
    """
    return min(MAX_SECONDS_BETWEEN_LINES, max(MIN_SECONDS_BETWEEN_LINES, elapsed / 100))
