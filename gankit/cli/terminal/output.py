"""The output of a command: text that is fit for a terminal, and errors that name the output.

File names, run.json, plugins and lessons may hold any character, also those that set a terminal's
title or overwrite its lines. So while a command runs, sys.stdout and sys.stderr let none pass. Only
what gankit itself draws goes past them: rich's consoles and `print_heading`.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Any

import click

from gankit.cli.terminal.encoding import replace_unencodable
from gankit.core.printable import printable

IS_WINDOWS = os.name == "nt"
OUTPUT = "the output"  # the `filename` of an OSError of stdout


class OutputClosed(BrokenPipeError):
    """The program that read stdout has ended, as in `gankit list | head -1`.

    It has no errno, because click would end the program with exit code 1 at an EPIPE.
    """


def is_output_error(error: BaseException) -> bool:
    """Whether stdout could not be written: it is closed, or its disk is full."""
    return isinstance(error, OutputClosed) or getattr(error, "filename", None) == OUTPUT


def print_traceback(
    kind: type[BaseException], error: BaseException, frames: TracebackType | None
) -> None:
    """Print a traceback as Python does; the error's message may hold any text."""
    text = "".join(traceback.format_exception(kind, error, frames))
    sys.stderr.write(printable(text, keep="\n"))


def _is_closed_pipe(error: OSError) -> bool:
    """Whether the reading program has ended; on Windows, the error for that is EINVAL."""
    return isinstance(error, BrokenPipeError) or (IS_WINDOWS and error.errno == errno.EINVAL)


class OwnStream:
    """A stream for what gankit draws itself. An OSError of stdout names it; one of stderr is lost.

    Messages that nobody can read must not end a command; results that are lost must.
    """

    def __init__(self, stream: IO[str], name: str) -> None:
        self.stream = stream
        self.name_in_errors = name  # empty: ignore errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with self._handle_errors():
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._handle_errors():
            self.stream.flush()

    @contextlib.contextmanager
    def _handle_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self.name_in_errors:
                discard(self.stream)
            elif _is_closed_pipe(error):
                raise OutputClosed(f"{self.name_in_errors} is closed") from error
            else:
                raise OSError(error.errno, error.strerror, self.name_in_errors) from error
        except ValueError as error:
            if not self.stream.closed:
                raise
            if self.name_in_errors:  # a plugin has closed it
                reason = os.strerror(errno.EBADF)
                raise OSError(errno.EBADF, reason, self.name_in_errors) from error


class PrintableStream(OwnStream):
    """A stream for any text: control characters do not pass, except line breaks and tabs.

    The colours of `click.style` are removed, so that text of a plugin that uses them is readable.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "buffer" and (IS_WINDOWS or is_ascii(self.stream)):
            raise AttributeError(name)  # click would write to it, past this stream
        return super().__getattr__(name)

    @property
    def rich_proxied_file(self) -> OwnStream:
        """Where rich's consoles write."""
        return OwnStream(self.stream, self.name_in_errors)

    def write(self, text: str) -> int:
        super().write(printable(click.unstyle(text), keep="\n\t"))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


@contextlib.contextmanager
def safe_output() -> Iterator[None]:
    """While open, sys.stdout and sys.stderr are PrintableStreams; one that is closed is discarded.

    The numbers of closed streams are taken first: else the next file that is opened gets one of
    them, and what is printed goes into that file.
    """
    before = (sys.stdin, sys.stdout, sys.stderr)
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    replace_unencodable()
    obey_escape_codes()
    with open(os.devnull, "r+", encoding="utf-8") as devnull:  # noqa: PTH123 - for both modes
        sys.stdin = sys.stdin or devnull
        sys.stdout = PrintableStream(sys.stdout or devnull, OUTPUT)
        sys.stderr = PrintableStream(sys.stderr or devnull, "")
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


def obey_escape_codes() -> None:
    """Let the classic console of Windows draw colours, and not print their escape codes."""
    if sys.platform != "win32":
        return
    import ctypes

    kernel = ctypes.WinDLL("kernel32")
    kernel.GetStdHandle.restype = ctypes.c_void_p
    for number in (-11, -12):  # stdout and stderr
        console = ctypes.c_void_p(kernel.GetStdHandle(number))
        mode = ctypes.c_ulong()
        if kernel.GetConsoleMode(console, ctypes.byref(mode)):
            kernel.SetConsoleMode(console, mode.value | 4)  # ENABLE_VIRTUAL_TERMINAL_PROCESSING


def discard(stream: IO[str]) -> None:
    """Discard what this stream prints from now on, also what it still holds."""
    with contextlib.suppress(OSError, ValueError):  # a notebook has no such file
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)


def is_ascii(stream: IO[str]) -> bool:
    """Whether a stream can print no other characters than those of ASCII."""
    encoding = getattr(stream, "encoding", None)
    return encoding is not None and codecs.lookup(encoding).name == "ascii"


def print_heading(text: str) -> None:
    """Print a line, in bold if stdout is a terminal."""
    print_own(click.style(printable(text), bold=True))


def print_own(text: str) -> None:
    """Print text with styles; it must hold no text of others that is not `printable`."""
    click.echo(text, file=getattr(sys.stdout, "rich_proxied_file", sys.stdout))
