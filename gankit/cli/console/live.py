"""The live view of a run in a terminal, 40 columns wide or more; with pictures if there is room."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gankit.cli.console.format import (
    explain_changes,
    explain_stages,
    explain_terms,
    summarize_outcome,
    whole_run,
)
from gankit.cli.console.recommend import recommend_recipe
from gankit.cli.console.time_left import TimeLeft
from gankit.cli.terminal.half_blocks import PictureRow
from gankit.cli.terminal.rich_console import output_console
from gankit.core.printable import printable
from gankit.core.run.settings import Run, command_line
from gankit.runs.figures import downsample
from gankit.runs.images import to_frames

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.core.gan import Gan

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-~=+*#"  # for terminals without Unicode
CURVES = (  # label, key of the scalars, colour
    ("d_loss", "d_loss", "red"),
    ("g_loss", "g_loss", "green"),
    ("D(x)", "d_real", "red"),
    ("D(G(z))", "d_fake", "green"),
)
HISTORY_LENGTH = 400  # logged steps in a sparkline
NUM_PICTURES = 8  # of the grid, at most
SHARE_OF_TIME = 0.01  # that drawing takes of a run, at most
MARGIN = 2  # lines below the view: that of the cursor, and one more for words that are wrapped
MAX_PAUSE = 1.0  # seconds until the view is drawn again, also on a computer that draws slowly


class LiveView:
    """Shows progress, speed, losses with sparklines, what each trick did, and the latest grid."""

    def __init__(self, run: Run, gan: Gan, console: Console | None = None) -> None:
        self.run = run
        self.first_step = gan.step
        self.time_left = TimeLeft(gan)
        self.saved_step = gan.step
        self.grid: Path | None = None
        self.best: Any = None  # the best measurement so far, with --keep-best
        self.latest: tuple[int, dict[str, Any]] | None = None  # the last logged step
        self.next_draw = 0.0  # time.monotonic()
        self.history: dict[str, deque[float]] = {
            key: deque(maxlen=HISTORY_LENGTH) for _, key, _ in CURVES
        }
        # The same as for messages: see gankit.cli.terminal.log.
        self.console = console or output_console()
        self.width = self.console.width  # when the view was drawn
        self.pictures = PictureRow(self.console)
        whole = whole_run(run)
        self.console.print(Text(command_line(whole), style="dim"))
        for stage in explain_stages(run, whole, gan.step):
            self.console.print(Text(stage, style="cyan"))
        if changes := explain_changes(run):
            self.console.print(Text(changes, style="dim"))
        if terms := explain_terms(run, gan.step):
            self.console.print(Text(terms, style="cyan"))
        if recommendation := recommend_recipe(run):
            self.console.print(Text(f"advice: {recommendation}", style="cyan"))
        self.live = Live(
            console=self.console,
            auto_refresh=False,
            redirect_stderr=sys.stderr.isatty(),  # print it above the view, unless it is a file
        )
        self.live.start()

    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        for _, key, _ in CURVES:
            self.history[key].append(scalars[key])
        self.latest = (step, scalars)
        self.time_left.update(step, scalars["seconds"])
        if time.monotonic() >= self.next_draw:
            self._draw()

    def samples_drawn(self, grid: Path, images: Tensor) -> None:
        self.grid = grid
        self.pictures.show(to_frames(images[:NUM_PICTURES]))
        self._draw()

    def _draw(self) -> None:
        """Draw the view again, and plan when the next logged step may do so."""
        if self.latest is None:
            return
        started = time.monotonic()
        if self.console.width < self.width:  # the terminal has wrapped lines of the view
            self.console.clear()
        self.width = self.console.width
        self.live.update(self.render(*self.latest), refresh=True)
        now = time.monotonic()
        self.next_draw = now + min(MAX_PAUSE, (now - started) / SHARE_OF_TIME)

    def finished(self, outcome: dict[str, Any]) -> None:
        self._draw()
        self.live.stop()
        headline, *details = summarize_outcome(self.run, self.first_step, outcome)
        style = "bold green" if outcome["state"] == "finished" else "bold yellow"
        self.console.print(Text(printable(headline), style=style))
        for line in details:
            self.console.print(Text(printable(line)), soft_wrap=True)

    def render(self, step: int, scalars: dict[str, Any]) -> Group:
        """The whole view as a rich renderable."""
        run = self.run
        width = self.console.width
        speed = self.time_left.speed
        time_left = self.time_left.describe(run.steps - step)
        rates = f"{speed:.1f} steps/s  {speed * run.batch_size * run.d_steps:.0f} images/s"
        heading = Text(f"step {step:,}/{run.steps:,}  {rates}  left {time_left}")
        bar = Table.grid()  # a ProgressBar alone does not end its line
        bar.add_row(ProgressBar(total=run.steps, completed=step, width=min(width, 80)))
        parts: list[RenderableType] = [heading, bar, self._render_curves(width)]
        for name, activity in scalars["activity"].items():
            parts.append(Text.assemble((f"{name} ", "cyan"), printable(activity or "-")))
        if self.best:
            parts.append(Text(printable(f"best: {self.best}"), style="green", overflow="fold"))
        if self.grid:
            saved = f", saved at step {self.saved_step:,}" if self.saved_step else ""
            parts.append(Text(printable(f"{self.grid}{saved}"), style="dim", overflow="fold"))
        texts = [part for part in parts if isinstance(part, Text)]
        used = 1 + len(CURVES) + sum(-(-text.cell_len // width) for text in texts)
        pictures = self.pictures.fit(self.console.height - used - MARGIN)
        return Group(*parts, pictures) if pictures else Group(*parts)

    def _render_curves(self, width: int) -> Table:
        table = Table.grid(padding=(0, 1))
        bars = ASCII_BARS if self.console.options.ascii_only else BARS
        for label, key, colour in CURVES:
            values = self.history[key]
            spark = sparkline(values, min(width, 80) - 20, bars)
            table.add_row(label, Text(f"{values[-1]:.2f}", justify="right"), Text(spark, colour))
        return table


def sparkline(values: Iterable[float], width: int, bars: str = BARS) -> str:
    """A curve of the characters in `bars`, the lowest first, at most `width` wide.

    Each shows the mean of its section.
    """
    means = downsample(list(values), max(1, width))
    low = min(means)
    span = (max(means) - low) or 1.0
    heights = [(mean - low) / span for mean in means]  # 0 to 1
    return "".join(bars[int(height * (len(bars) - 1))] for height in heights)
