"""Shows gankit's messages: through rich where live views are, else as lines `gankit: ...`."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gankit.cli.terminal import is_terminal, shows_live_view

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


class PlainHandler(logging.Handler):
    """Writes each message as one line to stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        # click.echo looks up sys.stderr at each call, as it may have been replaced
        try:
            click.echo(f"gankit: {record.getMessage()}", err=True)
        except BrokenPipeError:
            raise
        except OSError:  # a log file on a full disk; a message must not end a run
            pass


class TerminalHandler(logging.Handler):
    """Prints each message through rich, with its level."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.logging import RichHandler

        # The console is looked up for each message, as a program may redirect stdout meanwhile.
        RichHandler(console=message_console(), show_time=False, show_path=False).emit(record)


def message_console() -> Console:
    """The rich console for messages and progress bars: the live view's, if a run may have one.

    Only the console that draws a live view can erase the view, print a message and draw the view
    again below it. Another console would write into the middle of the view.
    """
    import rich

    return rich.get_console() if shows_live_view(sys.stdout) else _stderr_console()


@functools.cache
def _stderr_console() -> Console:
    from rich.console import Console

    return Console(stderr=True)
