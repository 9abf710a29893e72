"""A progress bar for work before the first training step: downloads, preparing pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gankit.cli.log import message_console
from gankit.core.stop import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Give a function `progress(done, total)` that draws a bar on stderr, if that is a terminal.

    A total of 0 means unknown and draws no bar. The bar disappears when all is done, so that
    another view may start, and appears again if more follows: a download, then unpacking.
    """
    bar = _Bar(label) if sys.stderr.isatty() else None
    try:
        yield bar or _ignore
    finally:
        if bar:
            bar.stop()


def _ignore(done: int, total: int) -> None:
    pass


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
