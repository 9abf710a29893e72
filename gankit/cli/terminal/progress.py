"""A progress bar, for work that no view of a run shows: downloads, preparing pictures."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gankit.cli.terminal.live_terminal import is_terminal, shows_live_view
from gankit.cli.terminal.log import message_console
from gankit.core.progress import Progress, no_progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

SECONDS_BETWEEN_LINES = 10


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Give a function `progress(done, total)` that draws a bar on stderr, if that is a terminal.

    A terminal that cannot show a bar gets a line every 10 seconds. A total of 0 means unknown and
    draws no bar. The bar disappears when all is done, so that
    another view may start, and appears again if more follows: a download, then unpacking.
    """
    if not shows_live_view(sys.stderr):
        yield _Lines(label) if is_terminal(sys.stderr) else no_progress
        return
    bar = _Bar(label)
    try:
        yield bar
    finally:
        bar.stop()


class _Lines:
    def __init__(self, label: str) -> None:
        self.label = label
        self.last_print = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not total or now - self.last_print < SECONDS_BETWEEN_LINES:
            return
        self.last_print = now
        click.echo(f"gankit: {self.label}: {done / total:.0%}", err=True)


class _Bar:
    def __init__(self, label: str) -> None:
        self.label = label
        self.rich_progress: RichProgress | None = None

    def __call__(self, done: int, total: int) -> None:
        if not total:
            return
        if self.rich_progress is None and done < total:
            self.start(done, total)
        if self.rich_progress is not None:
            task = self.rich_progress.task_ids[0]
            self.rich_progress.update(task, completed=done, total=total)
        if done >= total:
            self.stop()

    def start(self, done: int, total: int) -> None:
        from rich.progress import Progress as RichProgress  # only terminals need it

        self.rich_progress = RichProgress(console=message_console(), transient=True)
        self.rich_progress.add_task(self.label, completed=done, total=total)
        self.rich_progress.start()

    def stop(self) -> None:
        if self.rich_progress is not None:
            self.rich_progress.stop()
        self.rich_progress = None
