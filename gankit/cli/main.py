"""The command line: loads plugins, collects their commands, prints errors as one line."""

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


class LazyCommand(click.Command):
    """Stands in for a command in the list of commands; its module is imported to run it."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, short_help=summary)
        self.target = target

    def load(self) -> click.Command:
        command: click.Command = pkgutil.resolve_name(self.target)
        return command


class PluginCommands(click.Group):
    """The commands of all plugins; `ctx.obj` is the Registry."""

    def later(self, name: str, target: str, summary: str) -> None:
        """Add the command at `module:attribute`, imported only when it is called."""
        self.add_command(LazyCommand(name, target, summary))

    def _load_plugins(self, ctx: click.Context) -> None:
        """Take the commands of every plugin, once it must be known which there are."""
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
            if plugin.error:  # the person named it, so its failure is the answer
                raise GankitError(f"plugin {file}: {plugin.error}") from plugin.cause

    def _take_commands(self, plugin: Plugin) -> None:
        """Take a plugin's commands: all, or none if it raises or one's name is taken."""
        if not plugin.implements("register_commands"):
            return
        collected = PluginCommands()
        try:
            plugin.hook.register_commands(cli=collected)
            taken = sorted(collected.commands.keys() & self.commands.keys())
            if taken:
                raise GankitError(f"there is a command {taken[0]!r} already")
        except Exception as error:  # a stranger's code: anything may come
            plugin.error = f"{type(error).__name__}: {error}".replace("\n", " ")
            plugin.cause = error
        else:
            self.commands.update(collected.commands)

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
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, LazyCommand):
            command = command.load()
        return name, command, rest


def new_cli() -> PluginCommands:
    """A fresh command line; it loads plugins when it must know its commands."""

    settings = {"auto_envvar_prefix": "GANKIT", "max_content_width": 100}

    @click.group(cls=PluginCommands, context_settings=settings)
    @click.option(
        "-p", "--plugin", "files", multiple=True, is_eager=True, help="Load a one-file plugin."
    )
    @click.option("--debug", is_flag=True, help="Show the traceback of an error; works anywhere.")
    @click.version_option(__version__, prog_name="gankit")
    def cli(files: tuple[str, ...], debug: bool) -> None:
        """The workbench people learn GANs on.

        gankit run trains a GAN; gankit list shows data sets, models and tricks to choose from.
        """

    assert isinstance(cli, PluginCommands)
    return cli


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave with the right exit code: 0, 1 failed, 2 misused, 130 ^C."""
    sys.exit(_run(sys.argv[1:] if args is None else list(args)))


def _run(args: Sequence[str]) -> int:
    argv = [arg for arg in args if arg != "--debug"] or ["--help"]
    try:
        result = new_cli().main(args=argv, prog_name="gankit", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if "--debug" in args and not isinstance(error, click.ClickException):
            raise
        message, code = _message_and_code(error)
        click.echo(f"gankit: {message}", err=True)
        return code
    except KeyboardInterrupt:
        click.echo("gankit: interrupted", err=True)
        return 130


def _message_and_code(error: Exception) -> tuple[str, int]:
    if isinstance(error, GankitError):
        return str(error), error.exit_code
    if isinstance(error, click.NoSuchOption) and error.option_name in ("-p", "--plugin"):
        return "-p comes before the command: gankit -p FILE run", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", 130
    what = f"unexpected {type(error).__name__} in {_location(error)}"
    return f"{what}: {error} (--debug shows more)", 1


def _location(error: Exception) -> str:
    """File and line that raised, or the one that called torch so that it did."""
    frames = traceback.extract_tb(error.__traceback__)
    outside_torch = [frame for frame in frames if "torch" not in Path(frame.filename).parts]
    frame = (outside_torch or frames)[-1]  # a person's own folder may be called torch
    return f"{Path(frame.filename).name}, line {frame.lineno}"
