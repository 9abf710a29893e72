"""`gankit new`: creates a plugin package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("new", "gankit_new.command:new", "Create a plugin package.")
