"""A line now and then, for logs, notebooks and pipes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.cli.console.advice import advice
from gankit.cli.console.busy import slowdown_warnings
from gankit.cli.console.format import ending
from gankit.core.clock import format_duration
from gankit.core.settings import Run, command_line

if TYPE_CHECKING:
    from gankit.core.gan import Gan

SECONDS_BETWEEN = 5


class PlainView:
    """Prints a line when something worth reading has happened, and says how it ended."""

    def __init__(self, run: Run, gan: Gan) -> None:
        self.run = run
        self.first = gan.step
        self.saved = gan.step
        self.grid: Path | None = None
        self.printed = 0.0  # the time of the last line
        self.print(command_line(run))
        begins = "training" if gan.step == 0 else f"going on from step {gan.step:,}"
        self.print(f"{begins}: {run.steps:,} steps on {run.device}, into {run.folder}")
        for warning in slowdown_warnings(run):
            self.print(f"warning: {warning}")
        if advised := advice(run):
            self.print(f"advice: {advised}")

    @staticmethod
    def print(line: str) -> None:
        print(line, flush=True)

    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self.printed < SECONDS_BETWEEN and step < self.run.steps:
            return
        self.printed = now
        speed = (step - self.first) / scalars["seconds"]
        activity = [f"{name} {did}" for name, did in scalars["activity"].items() if did]
        columns = [
            f"step {step:,}/{self.run.steps:,}",
            f"{speed:.1f}/s",
            f"left {format_duration((self.run.steps - step) / speed)}",
            f"d_loss {scalars['d_loss']:.2f}",
            f"g_loss {scalars['g_loss']:.2f}",
            f"D(x) {scalars['d_real']:.2f}",
            f"D(G(z)) {scalars['d_fake']:.2f}",
        ]
        if activity:
            columns.append("; ".join(activity))
        self.print("  ".join(columns))

    def finished(self, outcome: dict[str, Any]) -> None:
        self.print("\n".join(ending(self.run, self.first, outcome)))
