"""The command line: loads plugins, collects their commands, prints errors as one line."""

from __future__ import annotations

import errno
import functools
import itertools
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from gankit.cli.encoding import replace_unencodable
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.registry import Plugin, import_file, load_registry
from gankit.core.retried_write import describe_write_error
from gankit.core.version import __version__
from gankit.data.read.names import printable

# Errors about a path that no disk can have; all other errors of the system are failures.
PATH_ERRORS = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
MAX_SHOWN = 200  # characters of a path in a message

ALLOWED_AFTER_COMMAND = ("--debug", "--plain", "--no-plain")  # options that belong before it


class LazyCommand(click.Command):
    """A command whose module is imported only when it is called."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, short_help=summary)
        self.target = target

    def load(self) -> click.Command:
        command: click.Command = pkgutil.resolve_name(self.target)
        return command


class PluginCommands(click.Group):
    """The commands of all plugins; `ctx.obj` is the Registry."""

    def later(self, name: str, target: str, summary: str) -> None:
        """Add the command at `module:attribute`; its module is imported only when it is called."""
        self.add_command(LazyCommand(name, target, summary))

    def _load_plugins(self, ctx: click.Context) -> None:
        """Load the plugins and add their commands, the first time that a command is looked up."""
        if self.commands:
            return
        ctx.obj = load_registry()
        for plugin in ctx.obj.plugins:
            self._add_commands(plugin)
            if plugin.error and not ctx.resilient_parsing:
                click.echo(f"gankit: ignored plugin {plugin.name!r}: {plugin.error}", err=True)
        for file in map(Path, ctx.params.get("files") or ()):
            plugin = ctx.obj.load(file.stem, functools.partial(import_file, file))
            self._add_commands(plugin)
            if plugin.error:  # you named this file, so gankit does not go on without it
                raise GankitError(f"plugin {file}: {plugin.error}") from plugin.cause

    def _add_commands(self, plugin: Plugin) -> None:
        """Add all commands of a plugin, or none if it raises or if a name is taken."""
        if not plugin.implements("register_commands"):
            return
        collected = PluginCommands()
        try:
            plugin.hook.register_commands(cli=collected)
            taken = sorted(collected.commands.keys() & self.commands.keys())
            if taken:
                raise GankitError(f"a command {taken[0]!r} exists already")
        except Exception as error:  # the plugin's code may raise anything
            plugin.error = f"{type(error).__name__}: {error}".replace("\n", " ")
            plugin.cause = error
        else:
            self.commands.update(collected.commands)
            plugin.commands = sorted(collected.commands)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load_plugins(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        self._load_plugins(ctx)
        command = super().get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            raise GankitError(f"there is no command {name!r}.{did_you_mean(name, self.commands)}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, remaining_args = super().resolve_command(ctx, args)
        if isinstance(command, LazyCommand):
            command = command.load()
        return name, command, remaining_args


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
    sys.exit(_run(sys.argv[1:] if args is None else list(args)))


def _run(args: Sequence[str]) -> int:
    replace_unencodable()
    flags = [arg for arg in args if arg in ALLOWED_AFTER_COMMAND]
    argv = [*flags, *([arg for arg in args if arg not in flags] or ["--help"])]
    try:
        _check_current_folder()
        _refuse_empty_values(argv)
        result = new_cli().main(args=argv, prog_name="gankit", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:  # the program that read the output has ended, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if "--debug" in args and not isinstance(error, click.ClickException):
            raise
        message, exit_code = _message_and_exit_code(error)
        click.echo(f"gankit: {printable(message)}", err=True)
        return exit_code
    except KeyboardInterrupt:
        click.echo("gankit: interrupted", err=True)
        return 130


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
        return "-p must come before the command: gankit -p FILE run", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", 130
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"cannot write: {describe_write_error(error)}", 1
    if isinstance(error, OSError) and error.filename is not None:
        return _system_error(error), 2 if error.errno in PATH_ERRORS else 1
    kind = f"unexpected {type(error).__name__} in {_location(error)}"
    return f"{kind}: {error} (--debug shows the traceback)", 1


def _system_error(error: OSError) -> str:
    """What the operating system says about a file; the end of a long path is omitted."""
    path = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    shown = path if len(path) <= MAX_SHOWN else f"{path[:MAX_SHOWN]}..."
    return f"cannot use {shown!r}: {error.strerror}"


def _location(error: Exception) -> str:
    """The file and line that raised the error, or that called torch, if torch raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    outside_torch = [frame for frame in frames if "torch" not in Path(frame.filename).parts]
    frame = (outside_torch or frames)[-1]  # all frames, if your own folder is called torch
    return f"{Path(frame.filename).name}, line {frame.lineno}"
