"""What a person sees of a run: a live view in a terminal, plain lines elsewhere."""

import sys

from gankit.core.hookspecs import hookimpl


class Console:
    """Picks the view when a run starts and passes on what it is told."""

    @hookimpl
    def run_started(self, run, gan):
        if sys.stdout.isatty():
            from gankit.cli.console.live import LiveView as View
        else:
            from gankit.cli.console.plain import PlainView as View
        self.view = View(run, gan)

    @hookimpl
    def step_done(self, run, step, scalars):
        self.view.step_done(step, scalars)

    @hookimpl
    def samples_drawn(self, run, step):
        self.view.grid = run.folder / "samples" / f"{step:06d}.png"

    @hookimpl
    def checkpoint_saved(self, run, step):
        self.view.saved = step

    @hookimpl
    def run_finished(self, run, outcome):
        self.view.finished(outcome)
