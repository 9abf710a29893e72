"""`gankit new`: creates a plugin package."""

from gankit import hookimpl
from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("new", "gankit_new.command:new", "Create a plugin package.")
