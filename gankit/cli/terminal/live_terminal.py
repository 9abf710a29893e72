"""Whether a stream is a terminal that can show a live view: one whose cursor can be moved."""

from __future__ import annotations

import os
import sys
from typing import IO

import click

from gankit.cli.terminal.output import OwnStream

# Values of TERM whose cursor cannot move up, such as Emacs's shell.
TERMS_WITHOUT_CURSOR = ("", "dumb", "unknown", "emacs", "network", "dialup")
NOTEBOOK_VARIABLES = ("JPY_PARENT_PID", "COLAB_", "KAGGLE_KERNEL_")  # how their names begin
FALSE = ("", "0", "false", "no", "off")


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a stream, such as sys.stdout, is any terminal; it is None in pythonw."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def shows_live_view(stream: IO[str] | None) -> bool:
    """Whether a live view or a progress bar can be drawn on this stream, else plain lines.

    `--plain`, `--no-plain` or the environment variable GANKIT_PLAIN decides for terminals where it
    is not clear.
    """
    if not is_terminal(stream) or is_program_window(stream) or not _has_movable_cursor():
        return False
    plain = _chosen_plain()
    if plain is None:
        plain = is_notebook() or is_ci()
    return not plain


def shows_notebook_view() -> bool:
    """Whether this program is the kernel of a notebook, whose cells show pictures."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel") and not _chosen_plain()


def _chosen_plain() -> bool | None:
    """The choice of --plain or --no-plain, else of GANKIT_PLAIN; None if there is none."""
    context = click.get_current_context(silent=True)
    option: bool | None = context.find_root().params.get("plain") if context else None
    variable = os.environ.get("GANKIT_PLAIN")
    if option is None and variable:  # for runs that a program starts
        return variable.lower() not in FALSE
    return option


def _has_movable_cursor() -> bool:
    default = "" if os.name == "posix" else "windows"  # which seldom sets TERM
    return os.environ.get("TERM", default).lower() not in TERMS_WITHOUT_CURSOR


def is_program_window(stream: IO[str] | None) -> bool:
    """Whether a stream is the window of IDLE, Thonny or a similar program.

    It says that it is a terminal, but it does not know escape sequences.
    """
    while isinstance(stream, OwnStream):  # ours, around the program's
        stream = stream.stream
    return type(stream).__module__.partition(".")[0] in ("idlelib", "thonny")


def is_notebook() -> bool:
    """Whether a notebook of Jupyter, Colab or Kaggle has started this program: `!gankit run`.

    A cell gives it a terminal, but moves no cursor: it shows each redrawing below the last one.
    """
    if any(name.startswith(NOTEBOOK_VARIABLES) for name in os.environ):
        return True
    # Of a kernel that another program has started; no terminal sets both.
    return os.environ.get("TERM") == "xterm-color" and os.environ.get("GIT_PAGER") == "cat"


def is_ci() -> bool:
    """Whether this is a job of continuous integration, whose log is a file."""
    return os.environ.get("CI", "").lower() not in FALSE


def has_windows() -> bool:
    """Whether this computer can open a browser window for its user."""
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
