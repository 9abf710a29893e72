"""The command line: its options, and how it ends: an exit code, and errors as one line."""

from __future__ import annotations

import errno
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gankit.cli.plugin_commands import PluginCommands
from gankit.cli.stop_signals import safe_import
from gankit.cli.terminal.output import (
    OUTPUT,
    OutputClosed,
    discard,
    is_output_error,
    print_traceback,
    safe_output,
)
from gankit.core.errors import GankitError, Interrupted, describe_error
from gankit.core.files.retried_write import describe_write_error
from gankit.core.printable import printable
from gankit.core.version import __version__

__all__ = ["PluginCommands", "main", "new_cli"]  # plugins import PluginCommands from here

# Errors about a path that no disk can have; all other errors of the system are failures.
PATH_ERRORS = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
INTERRUPTED = "interrupted"
MAX_SHOWN = 200  # characters of a path in a message

ALLOWED_AFTER_COMMAND = ("--debug", "--plain", "--no-plain")  # options that belong before it


def new_cli() -> PluginCommands:
    """A new command line; it loads the plugins when a command is first looked up."""

    settings = {"auto_envvar_prefix": "GANKIT", "max_content_width": 100}

    @click.group(cls=PluginCommands, context_settings=settings)
    @click.option(
        "-p",
        "--plugin",
        "files",
        multiple=True,
        is_eager=True,
        metavar="FILE",
        help="Load a plugin from one .py file; repeatable.",
    )
    @click.option(
        "--debug",
        is_flag=True,
        help="Show the traceback of an error; also allowed after the command.",
    )
    @click.option(
        "--plain/--no-plain",
        default=None,
        help="Print plain lines in place of a live view and progress bars, or draw these where "
        "gankit prints lines by itself, such as in a notebook; also allowed after the command.",
    )
    @click.version_option(__version__, prog_name="gankit")
    def cli(files: tuple[str, ...], debug: bool, plain: bool | None) -> None:
        """Learn and train GANs (generative adversarial networks).

        Start with `gankit lesson`, which teaches GANs step by step, or with `gankit run`, which
        trains one. `gankit list` shows the data sets, models and tricks to choose from.
        """

    assert isinstance(cli, PluginCommands)
    return cli


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 Ctrl-C, 141 pipe closed.

    A run that a signal stopped exits with 128 and the signal's number.
    """
    with safe_output(), safe_import():
        exit_code = _run(sys.argv[1:] if args is None else list(args))
        try:
            sys.stdout.flush()
        except OSError as error:  # what was printed last; at Python's end it would fail again
            exit_code = exit_code or _report(error)
    sys.exit(exit_code)


def _run(args: Sequence[str]) -> int:
    flags = [arg for arg in args if arg in ALLOWED_AFTER_COMMAND]
    argv = [*flags, *([arg for arg in args if arg not in flags] or ["--help"])]
    try:
        _check_current_folder()
        _refuse_empty_values(argv)
        return _call(argv)
    except Exception as error:
        if "--debug" in args and not isinstance(error, click.ClickException | OutputClosed):
            sys.excepthook = print_traceback
            raise
        return _report(error)
    except KeyboardInterrupt:
        return _report(click.Abort())
    except SystemExit as error:  # a plugin's command may end with a text, which Python would print
        if error.code is None or isinstance(error.code, int):
            raise
        return _report(GankitError(str(error.code), 1))


def _call(argv: Sequence[str]) -> int:
    streams = sys.stdout, sys.stderr
    try:
        result = new_cli().main(args=argv, prog_name="gankit", standalone_mode=False)
    finally:  # a plugin may have replaced them while the command ran
        sys.stdout, sys.stderr = streams
    return result if isinstance(result, int) else 0


def _report(error: Exception) -> int:
    """Print the message of an error, unless the output is closed; returns the exit code."""
    if is_output_error(error):
        discard(sys.stdout)  # else Python would fail again when it ends
    if isinstance(error, OutputClosed):
        return 141
    message, exit_code = _message_and_exit_code(error)
    click.echo(f"gankit: {printable(message)}", err=True)
    return exit_code


def _check_current_folder() -> None:
    """GankitError if the current folder was deleted: torch would end the process at its import."""
    try:
        Path.cwd()
    except OSError as error:
        line = f"the current folder cannot be used: {error.strerror}; change to another (cd)"
        raise GankitError(line) from error


def _refuse_empty_values(argv: Sequence[str]) -> None:
    """GankitError if a value is empty, as when a variable of the shell was never set.

    Otherwise most options would be ignored, and a run would be another one than you think.
    """
    for before, arg in itertools.pairwise(["gankit", *argv]):
        is_empty_option = arg.startswith("--") and arg.partition("=")[1:] == ("=", "")
        if not arg or is_empty_option:
            name = arg.removesuffix("=") or before
            raise GankitError(f"the value after {name} is empty: give a value, or omit it")


def _message_and_exit_code(error: Exception) -> tuple[str, int]:
    if isinstance(error, GankitError):
        return str(error), error.exit_code
    if isinstance(error, click.NoSuchOption) and error.option_name in ("-p", "--plugin"):
        return "-p must come before the command: gankit -p FILE COMMAND ...", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if is_output_error(error):
        return f"cannot write {OUTPUT}: {describe_write_error(error)}", 1
    if isinstance(error, click.Abort):  # click raises it from a KeyboardInterrupt
        cause = error.__cause__
        return (
            (str(cause), cause.exit_code) if isinstance(cause, Interrupted) else (INTERRUPTED, 130)
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"cannot write: {describe_write_error(error)}", 1
    if isinstance(error, OSError) and error.filename is not None:
        return _system_error(error), 2 if error.errno in PATH_ERRORS else 1
    unexpected = describe_error(error, with_place=True)
    return f"unexpected {unexpected} (--debug shows the traceback)", 1


def _system_error(error: OSError) -> str:
    """What the operating system says about a file; the end of a long path is omitted."""
    path = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    shown = path if len(path) <= MAX_SHOWN else f"{path[:MAX_SHOWN]}..."
    return f"cannot use {shown!r}: {error.strerror}"
