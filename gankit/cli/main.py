"""The command line: finds plugins, gathers their commands, words the errors."""

from __future__ import annotations

import functools
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.registry import Plugin, import_file, load_registry
from gankit.core.version import __version__


class Later(click.Command):
    """Stands in for a command in the list of commands; the module is imported to run it."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, short_help=summary)
        self.target = target

    def load(self) -> click.Command:
        command: click.Command = pkgutil.resolve_name(self.target)
        return command


class Commands(click.Group):
    """Every command comes from a plugin; `ctx.obj` is the Registry."""

    def later(self, name: str, target: str, summary: str) -> None:
        """Add the command at `module:attribute`, imported only when it is called."""
        self.add_command(Later(name, target, summary))

    def _gather(self, ctx: click.Context) -> None:
        if self.commands:
            return
        ctx.obj = load_registry()
        for plugin in ctx.obj.plugins:
            self._take_commands(plugin)
            if plugin.error and not ctx.resilient_parsing:
                click.echo(f"gankit: plugin {plugin.name!r} is left out: {plugin.error}", err=True)
        for file in map(Path, ctx.params.get("files") or ()):
            plugin = ctx.obj.load(file.stem, functools.partial(import_file, file))
            self._take_commands(plugin)
            if plugin.error:  # named by hand, so its failure is the answer
                raise GankitError(f"plugin {file}: {plugin.error}") from plugin.cause

    def _take_commands(self, plugin: Plugin) -> None:
        """Take a plugin's commands: all, or none where it raises or names one that is taken."""
        if not plugin.implements("register_commands"):
            return
        brought = Commands()
        try:
            plugin.hook.register_commands(cli=brought)
            for name in brought.commands.keys() & self.commands.keys():
                raise GankitError(f"there is a command {name!r} already")
        except Exception as error:  # a stranger's code: anything may come
            plugin.error = f"{type(error).__name__}: {error}".replace("\n", " ")
            plugin.cause = error
        else:
            self.commands |= brought.commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._gather(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        self._gather(ctx)
        command = super().get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            raise GankitError(f"there is no command {name!r}.{did_you_mean(name, self.commands)}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Later) else command, rest


def new_cli() -> Commands:
    """A fresh command line; it loads plugins when it must know its commands."""

    settings = {"auto_envvar_prefix": "GANKIT", "max_content_width": 100}

    @click.group(cls=Commands, context_settings=settings)
    @click.option(
        "-p", "--plugin", "files", multiple=True, is_eager=True, help="Load a one-file plugin."
    )
    @click.option("--debug", is_flag=True, help="Show the traceback of an error; works anywhere.")
    @click.version_option(__version__, prog_name="gankit")
    def cli(files: tuple[str, ...], debug: bool) -> None:
        """The workbench people learn GANs on.

        gankit run trains a GAN; gankit list shows data sets, models and tricks to choose from.
        """

    assert isinstance(cli, Commands)
    return cli


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave with the right exit code: 0, 1 failed, 2 misused, 130 ^C."""
    sys.exit(_run(sys.argv[1:] if args is None else list(args)))


def _run(args: Sequence[str]) -> int:
    words = [word for word in args if word != "--debug"] or ["--help"]
    try:
        result = new_cli().main(args=words, prog_name="gankit", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if "--debug" in args and not isinstance(error, click.ClickException):
            raise
        message, code = _worded(error)
        click.echo(f"gankit: {message}", err=True)
        return code
    except KeyboardInterrupt:
        click.echo("gankit: interrupted", err=True)
        return 130


def _worded(error: Exception) -> tuple[str, int]:
    if isinstance(error, GankitError):
        return str(error), error.exit_code
    if isinstance(error, click.NoSuchOption) and error.option_name in ("-p", "--plugin"):
        return "-p comes before the command: gankit -p FILE run", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", 130
    return f"unexpected {type(error).__name__} in {_place(error)}: {error} (--debug shows more)", 1


def _place(error: Exception) -> str:
    """File and line that raised, or the one that called torch so that it did."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "torch" not in Path(frame.filename).parts]
    frame = (ours or frames)[-1]  # all of them lie in torch where a person's folder has that name
    return f"{Path(frame.filename).name}, line {frame.lineno}"
