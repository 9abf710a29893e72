"""Shows gankit's messages: through rich at a terminal, as plain `gankit: ...` lines elsewhere."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

import click


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
    """Rich's handler, on the console of the live view wherever a run has one.

    Only that console knows which lines to erase and draw again below a message; one of its own
    would write into the middle of the view.
    """
    import rich
    from rich.console import Console
    from rich.logging import RichHandler

    console = rich.get_console() if sys.stdout.isatty() else Console(stderr=True)
    return RichHandler(console=console, show_time=False, show_path=False)
