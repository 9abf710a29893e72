"""A bar for what takes a while before there is anything else to see."""

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
def progress_bar(doing: str) -> Iterator[Progress]:
    """Give a `progress(done, total)` that draws a bar; it is silent if stderr is no terminal.

    A total of 0 is unknown, and draws none. The bar goes when all is done, so that other views may
    begin, and comes again if more follows: a download, then unpacking.
    """
    bar = _Bar(doing) if sys.stderr.isatty() else None
    try:
        yield bar or _silent
    finally:
        if bar:
            bar.stop()


def _silent(done: int, total: int) -> None:
    pass


class _Bar:
    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.shown: RichProgress | None = None

    def __call__(self, done: int, total: int) -> None:
        if not total:
            return
        if self.shown is None and done < total:
            self.start(done, total)
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], completed=done, total=total)
        if done >= total:
            self.stop()

    def start(self, done: int, total: int) -> None:
        from rich.progress import Progress as RichProgress  # only terminals pay for it

        self.shown = RichProgress(console=message_console(), transient=True)
        self.shown.add_task(self.doing, completed=done, total=total)
        self.shown.start()

    def stop(self) -> None:
        if self.shown is not None:
            self.shown.stop()
        self.shown = None
