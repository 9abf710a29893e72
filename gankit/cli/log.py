"""Shows gankit's messages: through rich at a terminal, as plain `gankit: ...` lines elsewhere."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def log_shown() -> Iterator[None]:
    """While open, a terminal shows every message; a pipe or a file gets the warnings."""
    log = logging.getLogger("gankit")
    handler = terminal_handler() if sys.stderr.isatty() else PlainHandler(logging.WARNING)
    level_before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level_before)


class PlainHandler(logging.Handler):
    """One line a message."""

    def emit(self, record: logging.LogRecord) -> None:
        # echo asks for sys.stderr at each call: others may replace it meanwhile
        click.echo(f"gankit: {record.getMessage()}", err=True)


def terminal_handler() -> logging.Handler:
    from rich.logging import RichHandler

    return RichHandler(console=message_console(), show_time=False, show_path=False)


def message_console() -> Console:
    """The console of messages and progress: that of the live view wherever a run has one.

    Only a console that draws a view knows which lines to erase and draw again below a message;
    another would write into the middle of it.
    """
    import rich

    return rich.get_console() if sys.stdout.isatty() else _stderr_console()


@functools.cache
def _stderr_console() -> Console:
    from rich.console import Console

    return Console(stderr=True)
