"""What you see of a run: a live view in a terminal or a notebook, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from gankit.cli.terminal.encoding import replace_unencodable
from gankit.core.parts.hookspecs import hookimpl
from gankit.runs.grids import grid_path

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.cli.console.live import LiveView
    from gankit.cli.console.notebook import NotebookView
    from gankit.cli.console.plain import PlainView
    from gankit.core.gan import Gan
    from gankit.core.run.settings import Run

log = logging.getLogger(__name__)


class Console:
    """An observer that chooses the view when a run starts and passes events on to it."""

    view: LiveView | NotebookView | PlainView
    warned: ClassVar[set[str]] = set()  # subjects; a program with many runs gets each warning once

    @hookimpl
    def run_started(self, run: Run, gan: Gan) -> None:
        from gankit.cli.console.busy import slowdown_warnings

        # here, so that `gankit list` stays fast
        from gankit.cli.terminal.live_terminal import shows_live_view, shows_notebook_view

        replace_unencodable()  # also when your own program trains
        for subject, warning in slowdown_warnings(run).items():
            if subject not in self.warned:
                log.warning(warning)  # on stderr, as lesson 5 and others redirect stdout
                self.warned.add(subject)
        if shows_notebook_view():
            from gankit.cli.console.notebook import NotebookView

            self.view = NotebookView(run, gan)
        elif shows_live_view(sys.stdout):
            from gankit.cli.console.live import LiveView

            self.view = LiveView(run, gan)
        else:
            from gankit.cli.console.plain import PlainView

            self.view = PlainView(run, gan)

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any]) -> None:
        self.view.run = run  # its length may have changed
        self.view.step_done(step, scalars)

    @hookimpl
    def measured(self, best: Any) -> None:
        self.view.best = best

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: Tensor) -> None:
        self.view.samples_drawn(grid_path(run.folder, step), images)

    @hookimpl
    def checkpoint_saved(self, run: Run, step: int) -> None:
        self.view.saved_step = step

    @hookimpl
    def run_finished(self, run: Run, outcome: dict[str, Any]) -> None:
        self.view.run = run
        self.view.finished(outcome)
