"""rich's console as gankit uses it: text of others cannot control the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

import rich
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from gankit.core.printable import printable


class OutputConsole(Console):
    """A console that draws control sequences of its own, and none that the text holds.

    A closed pipe raises BrokenPipeError, as it does everywhere else in gankit.
    """

    @property
    def file(self) -> IO[str]:
        """The stream behind those that replace sys.stdout, such as rich's during a live view."""
        stream = super().file
        while hasattr(stream, "rich_proxied_file"):
            stream = stream.rich_proxied_file
        return stream

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text, keep="\n"), segment.style)

    def on_broken_pipe(self) -> None:
        raise  # the BrokenPipeError: rich calls it while it handles the error


def output_console() -> OutputConsole:
    """The console that `rich.get_console` gives everywhere: for a run's view and its messages.

    Plugins that draw through rich use it too, so that only one console moves the cursor.
    """
    if not isinstance(rich._console, OutputConsole):
        rich._console = OutputConsole()
    return rich._console
