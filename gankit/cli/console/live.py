"""The live view of a run in a terminal, from 40 columns up."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import get_console
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gankit.cli.console.advice import advice
from gankit.cli.console.busy import slowdown_warnings
from gankit.cli.console.format import ending
from gankit.core.clock import format_duration
from gankit.core.settings import Run, command_line
from gankit.runs.figures import downsample

if TYPE_CHECKING:
    from gankit.core.gan import Gan

BARS = "▁▂▃▄▅▆▇█"
SHOWN = (  # label, key of the scalars, colour
    ("d_loss", "d_loss", "red"),
    ("g_loss", "g_loss", "green"),
    ("D(x)", "d_real", "red"),
    ("D(G(z))", "d_fake", "green"),
)
REMEMBERED = 400  # logged steps that a sparkline looks back on


class LiveView:
    """Progress, speed, losses with sparklines, what each trick did, the latest grid."""

    def __init__(self, run: Run, gan: Gan, console: Console | None = None) -> None:
        self.run = run
        self.first = gan.step
        self.saved = gan.step
        self.grid: Path | None = None
        self.past: dict[str, deque[float]] = {key: deque(maxlen=REMEMBERED) for _, key, _ in SHOWN}
        self.console = console or get_console()  # messages go through the same: gankit.cli.log
        self.console.print(Text(command_line(run), style="dim"))
        for warning in slowdown_warnings(run):
            self.console.print(Text(f"warning: {warning}", style="yellow"))
        if advised := advice(run):
            self.console.print(Text(f"advice: {advised}", style="cyan"))
        self.live = Live(
            console=self.console,
            auto_refresh=False,
            redirect_stderr=sys.stderr.isatty(),  # above the view, unless it goes to a file
        )
        self.live.start()

    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        for _, key, _ in SHOWN:
            self.past[key].append(scalars[key])
        self.live.update(self.picture(step, scalars), refresh=True)

    def finished(self, outcome: dict[str, Any]) -> None:
        self.live.stop()
        first, *more = ending(self.run, self.first, outcome)
        style = "bold green" if outcome["state"] == "finished" else "bold yellow"
        self.console.print(Text(first, style=style))
        for line in more:
            self.console.print(Text(line), soft_wrap=True)

    def picture(self, step: int, scalars: dict[str, Any]) -> Group:
        """Everything there is to see, as a rich renderable."""
        run = self.run
        width = self.console.width
        speed = (step - self.first) / max(scalars["seconds"], 1e-9)
        left = format_duration((run.steps - step) / speed) if speed else "?"
        rates = f"{speed:.1f} steps/s  {speed * run.batch_size * run.d_steps:.0f} images/s"
        heading = Text(f"step {step:,}/{run.steps:,}  {rates}  left {left}")
        bar = Table.grid()  # a bar alone does not end its line
        bar.add_row(ProgressBar(total=run.steps, completed=step, width=min(width, 80)))
        parts: list[RenderableType] = [heading, bar, self._curves(width)]
        for name, did in scalars["activity"].items():
            parts.append(Text.assemble((f"{name} ", "cyan"), did or "-"))
        if self.grid:
            saved = f", saved at step {self.saved:,}" if self.saved else ""
            parts.append(Text(f"{self.grid}{saved}", style="dim", overflow="fold"))
        return Group(*parts)

    def _curves(self, width: int) -> Table:
        table = Table.grid(padding=(0, 1))
        for label, key, colour in SHOWN:
            values = self.past[key]
            spark = sparkline(values, min(width, 80) - 20)
            table.add_row(label, Text(f"{values[-1]:.2f}", justify="right"), Text(spark, colour))
        return table


def sparkline(values: Iterable[float], width: int) -> str:
    """The values' course in at most `width` characters; each stands for the mean of its stretch."""
    means = downsample(list(values), max(1, width))
    low = min(means)
    span = (max(means) - low) or 1.0
    heights = [(mean - low) / span for mean in means]  # 0 to 1
    return "".join(BARS[int(height * (len(BARS) - 1))] for height in heights)
