"""Shows gankit's messages: through rich where live views are, else as lines `gankit: ...`."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gankit.cli.terminal.live_terminal import is_terminal, shows_live_view
from gankit.core.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def show_log() -> Iterator[None]:
    """Show gankit's messages on stderr: all at a terminal, only warnings in a pipe or a file."""
    logger = logging.getLogger("gankit")
    handler: logging.Handler
    if shows_live_view(sys.stderr):
        handler = TerminalHandler()
    else:
        handler = PlainHandler(logging.INFO if is_terminal(sys.stderr) else logging.WARNING)
    previous_level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(previous_level)


class LineFormatter(logging.Formatter):
    """A message as one line, whatever the names and errors in it hold."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(record.getMessage())


class PlainHandler(logging.Handler):
    """Writes each message as one line to stderr."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        # click.echo looks up sys.stderr at each call, as it may have been replaced
        with contextlib.suppress(OSError):  # a closed pipe, a full disk; it must not end a run
            click.echo(f"gankit: {self.format(record)}", err=True)


class TerminalHandler(logging.Handler):
    """Prints each message through rich, with its level."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.logging import RichHandler

        # The console is looked up for each message, as a program may redirect stdout meanwhile.
        handler = RichHandler(console=message_console(), show_time=False, show_path=False)
        handler.setFormatter(LineFormatter())
        handler.emit(record)


def message_console() -> Console:
    """The rich console for messages and progress bars: the live view's, if a run may have one.

    Only the console that draws a live view can erase the view, print a message and draw the view
    again below it. Another console would write into the middle of the view.
    """
    from gankit.cli.terminal.rich_console import output_console

    return output_console() if shows_live_view(sys.stdout) else _stderr_console()


@functools.cache
def _stderr_console() -> Console:
    from gankit.cli.terminal.rich_console import OutputConsole

    return OutputConsole(stderr=True)
