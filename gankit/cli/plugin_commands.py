"""The commands of all plugins: found, loaded when they are called, and named if they fail."""

from __future__ import annotations

import pkgutil
import traceback
from pathlib import Path
from typing import Any

import click

from gankit.cli.terminal.output import is_output_error
from gankit.core.errors import GankitError, describe_error, error_text, quote_value
from gankit.core.parts.process_state import undo_global_changes
from gankit.core.parts.registry import Plugin, load_registry
from gankit.core.parts.spec_fields import check_name
from gankit.core.printable import printable

# How a command ends by itself or is stopped; everything else is an error in its code.
ENDS_OF_COMMANDS = (
    GankitError,
    click.ClickException,
    click.exceptions.Exit,
    click.Abort,
    KeyboardInterrupt,
)


class LazyCommand(click.Command):
    """A command whose module is imported only when it is called."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, short_help=summary)
        self.target = target

    def load(self) -> click.Command:
        with undo_global_changes():
            command: click.Command = pkgutil.resolve_name(self.target)
        _check_command(str(self.name), command)
        return command


class PluginCommands(click.Group):
    """The commands of all plugins; `ctx.obj` is the Registry."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.owners: dict[str, Plugin] = {}  # command -> its plugin

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
            if not ctx.resilient_parsing:
                _warn_of(plugin)
        for file in map(Path, ctx.params.get("files") or ()):
            plugin = ctx.obj.load_file(file)
            self._add_commands(plugin)
            plugin.require_loaded()
            _warn_of(plugin)

    def _add_commands(self, plugin: Plugin) -> None:
        """Add all commands of a plugin, or none if it raises or if a name is taken."""
        if not plugin.implements("register_commands"):
            return
        collected = PluginCommands()
        try:
            with undo_global_changes() as changed:
                plugin.hook.register_commands(cli=collected)
            plugin.changed += changed
            for name, command in collected.commands.items():
                _check_command(name, command)
                if name in self.commands:
                    taken = f"a command {name!r} is already added by {self.owners[name].name!r}"
                    raise GankitError(f"{taken}: choose another name")
        except KeyboardInterrupt:  # always taken for Ctrl-C
            raise
        except BaseException as error:  # the plugin's code may raise anything
            plugin.fail(error)
        else:
            self.commands.update(collected.commands)
            self.owners |= dict.fromkeys(collected.commands, plugin)
            plugin.commands = sorted(collected.commands)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load_plugins(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        self._load_plugins(ctx)
        command = super().get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            hint = ctx.obj.explain_missing(name, self.commands)
            raise GankitError(f"there is no command {name!r}.{hint}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        for option in {"-p", "--plugin"} & set(args[1:]):
            if args[0] not in self.list_commands(ctx):  # it may be in the file after -p
                raise click.NoSuchOption(option, ctx=ctx)
        name, command, remaining_args = super().resolve_command(ctx, args)
        if isinstance(command, LazyCommand):
            command = self._load_command(str(name), command)
        return name, command, remaining_args

    def _load_command(self, name: str, command: LazyCommand) -> click.Command:
        """Import a command; GankitError that names its plugin if that fails."""
        try:
            return command.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the plugin's code may raise anything
            what = f"command {name!r} of plugin {self.owners[name].name!r} cannot be loaded"
            raise GankitError(f"{what}: {describe_error(error)}") from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; GankitError that names the plugin if code of a plugin raises."""
        try:
            return super().invoke(ctx)
        except ENDS_OF_COMMANDS:
            raise
        except BaseException as error:  # a plugin's code may raise anything
            plugin = ctx.obj.plugin_at_fault(error) if ctx.obj else None
            command = self.owners.get(ctx.invoked_subcommand or "")
            if command and not command.is_bundled and _is_wrong_call(error):
                what = f"plugin {command.name!r}: gankit {ctx.invoked_subcommand} cannot be called"
                cure = "mark it with @click.pass_obj if its first parameter is the registry"
                raise GankitError(f"{what}: {error_text(error)}; {cure}", 1) from error
            is_exit = isinstance(error, SystemExit) and plugin is command
            if plugin is None or is_exit or is_output_error(error):
                raise
            what = f"plugin {plugin.name!r} failed in gankit {ctx.invoked_subcommand}"
            why = describe_error(error, with_place=True)
            raise GankitError(f"{what}: {why} (--debug shows the traceback)", 1) from error


def _is_wrong_call(error: BaseException) -> bool:
    """Whether click has called a command's function with other arguments than it takes."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = str(frames[-1].f_globals.get("__name__", ""))
    return isinstance(error, TypeError) and last.partition(".")[0] == "click"


def _warn_of(plugin: Plugin) -> None:
    """Say on stderr that a plugin is broken, or what it changed for the whole process."""
    if plugin.error:
        line = f"ignored plugin {plugin.name!r}: {plugin.error}"
    elif plugin.changed:
        what = " and ".join(plugin.changed)
        line = f"plugin {plugin.name!r} changed {what} while it was loaded; gankit undid that"
    else:
        return
    click.echo(f"gankit: {printable(line)}", err=True)


def _check_command(name: object, command: object) -> None:
    """TypeError or ValueError unless --help can list a command of this name."""
    check_name("the name of a command", name)
    if not isinstance(command, click.Command):
        raise TypeError(f"command {name!r} is {quote_value(command)}; expected a click.Command")
    command.get_short_help_str()  # --help calls it
