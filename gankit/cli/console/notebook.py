"""The live view in a notebook: the newest grid and the curves of both losses, updated in place."""

from __future__ import annotations

import html
import math
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
from gankit.cli.page.render import data_uri
from gankit.core.printable import printable
from gankit.core.run.settings import Run
from gankit.runs.figures import plot
from gankit.runs.read_grid import read_grid

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from gankit.core.gan import Gan

SECONDS_BETWEEN_UPDATES = 1.0
GRID_SIZE = 400  # px
CURVES = ("d_loss", "g_loss")
CURVES_SIZE = (GRID_SIZE, 120)  # px


class NotebookView:
    """Shows two outputs of the cell: the step with the curves, and below it the newest grid."""

    def __init__(self, run: Run, gan: Gan) -> None:
        self.run = run
        self.first_step = gan.step
        self.time_left = TimeLeft(gan)
        self.saved_step = gan.step
        self.grid: Path | None = None
        self.best: Any = None  # the best measurement so far, with --keep-best
        self.shown_grid: Path | None = None
        self.losses: dict[str, list[float]] = {name: [] for name in CURVES}
        self.last_update = 0.0  # time.monotonic()
        stages = explain_stages(run, whole_run(run), gan.step)
        about = (explain_changes(run), explain_terms(run, gan.step), recommend_recipe(run))
        self.notes = [*stages, *(note for note in about if note)]
        self.status = Output()
        self.picture = Output()
        self.status.show([f"step {gan.step:,}/{run.steps:,}", *self.notes])

    def step_done(self, step: int, scalars: dict[str, Any]) -> None:
        for name in CURVES:
            self.losses[name].append(scalars[name])
        speed = self.time_left.update(step, scalars["seconds"])
        now = time.monotonic()
        if now - self.last_update < SECONDS_BETWEEN_UPDATES:
            return
        self.last_update = now
        run = self.run
        time_left = self.time_left.describe(run.steps - step)
        activity = [f"{name}: {text}" for name, text in scalars["activity"].items() if text]
        names = {"d_loss": "d_loss", "g_loss": "g_loss", "D(x)": "d_real", "D(G(z))": "d_fake"}
        lines = [
            f"step {step:,}/{run.steps:,}  {speed:.1f} steps/s  left {time_left}",
            "  ".join(f"{label} {scalars[name]:.2f}" for label, name in names.items()),
            *activity,
            *([f"best: {self.best}"] if self.best else []),
            *self.notes,
        ]
        self.status.show(lines, self._draw_curves())
        self._show_grid()

    def samples_drawn(self, grid: Path, images: Tensor) -> None:
        self.grid = grid

    def finished(self, outcome: dict[str, Any]) -> None:
        lines = summarize_outcome(self.run, self.first_step, outcome)
        self.status.show(lines, self._draw_curves())
        self._show_grid()

    def _draw_curves(self) -> Image.Image | None:
        values = [v for losses in self.losses.values() for v in losses if math.isfinite(v)]
        if not values:
            return None
        low = min(values)
        return plot(self.losses, low, max(*values, low + 1e-6), CURVES_SIZE)

    def _show_grid(self) -> None:
        """Show the newest grid, if it has been written and is not shown yet."""
        grid = self.grid
        if grid is None or grid == self.shown_grid or not grid.is_file():
            return
        small = read_grid(grid).convert("RGB")
        small.thumbnail((GRID_SIZE, GRID_SIZE))
        self.picture.show([f"grid of step {int(grid.stem):,}"], small)
        self.shown_grid = grid


class Output:
    """One output of a notebook's cell. It appears when it is first shown, then changes in place."""

    def __init__(self) -> None:
        self.handle: Any = None  # IPython's DisplayHandle

    def show(self, lines: list[str], picture: Image.Image | None = None) -> None:
        """Show lines of text, and a picture below; where there are no pictures, the lines."""
        from IPython.display import display

        text = "\n".join(printable(line) for line in lines)
        page = f'<pre style="margin: 0">{html.escape(text)}</pre>'
        if picture:
            page += f'<img alt="" src="{data_uri(picture, "PNG")}">'
        content = {"text/plain": text, "text/html": page}
        if self.handle is None:
            show: Any = display  # IPython has no types
            self.handle = show(content, raw=True, display_id=True)
        else:
            self.handle.update(content, raw=True)
