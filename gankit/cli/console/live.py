"""The live view of a run in a terminal, from 40 columns up."""

import itertools
import sys
from collections import deque

from rich import get_console
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gankit.cli.console.advice import advice
from gankit.cli.console.busy import hurdles
from gankit.cli.console.format import clock, ending
from gankit.core.settings import command_line

BARS = "▁▂▃▄▅▆▇█"
SHOWN = (
    ("d_loss", "d_loss", "red"),
    ("g_loss", "g_loss", "green"),
    ("D(x)", "d_real", "red"),
    ("D(G(z))", "d_fake", "green"),
)
REMEMBERED = 400  # logged steps that a sparkline looks back on


class LiveView:
    """Progress, speed, losses with sparklines, what each trick did, the latest grid."""

    def __init__(self, run, gan, console: Console | None = None):
        self.run, self.first, self.grid, self.saved = run, gan.step, None, gan.step
        self.past = {key: deque(maxlen=REMEMBERED) for _, key, _ in SHOWN}
        self.console = console or get_console()  # messages go through the same: gankit.cli.log
        self.console.print(Text(command_line(run), style="dim"))
        for warning in hurdles(run):
            self.console.print(Text(f"warning: {warning}", style="yellow"))
        if advised := advice(run):
            self.console.print(Text(f"advice: {advised}", style="cyan"))
        self.live = Live(
            console=self.console,
            auto_refresh=False,
            redirect_stderr=sys.stderr.isatty(),  # above the view, unless it goes to a file
        )
        self.live.start()

    def step_done(self, step, scalars):
        for _, key, _ in SHOWN:
            self.past[key].append(scalars[key])
        self.live.update(self.picture(step, scalars), refresh=True)

    def finished(self, outcome):
        self.live.stop()
        first, *others = ending(self.run, self.first, outcome)
        style = "bold green" if outcome["state"] == "finished" else "bold yellow"
        self.console.print(Text(first, style=style))
        for line in others:
            self.console.print(Text(line), soft_wrap=True)

    def picture(self, step, scalars):
        """Everything there is to see, as a rich renderable."""
        run, width = self.run, self.console.width
        speed = (step - self.first) / max(scalars["seconds"], 1e-9)
        left = clock((run.steps - step) / speed) if speed else "?"
        rates = f"{speed:.1f} steps/s  {speed * run.batch_size * run.d_steps:.0f} images/s"
        heading = Text(f"step {step:,}/{run.steps:,}  {rates}  left {left}")
        bar = Table.grid()  # a bar alone does not end its line
        bar.add_row(ProgressBar(total=run.steps, completed=step, width=min(width, 80)))
        parts = [heading, bar, self._curves(width)]
        for name, did in scalars["activity"].items():
            parts.append(Text.assemble((f"{name} ", "cyan"), did or "-"))
        if self.grid:
            saved = f", saved at step {self.saved:,}" if self.saved else ""
            parts.append(Text(f"{self.grid}{saved}", style="dim", overflow="fold"))
        return Group(*parts)

    def _curves(self, width):
        table = Table.grid(padding=(0, 1))
        for label, key, colour in SHOWN:
            values = self.past[key]
            spark = sparkline(values, min(width, 80) - 20)
            table.add_row(label, Text(f"{values[-1]:.2f}", justify="right"), Text(spark, colour))
        return table


def sparkline(values, width):
    """The values' course in at most `width` characters; each stands for the mean of its stretch."""
    values = list(values)
    width = max(1, min(width, len(values)))
    edges = [i * len(values) // width for i in range(width + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(means), max(means)
    span = (high - low) or 1.0
    return "".join(BARS[int((m - low) / span * (len(BARS) - 1))] for m in means)
