"""`gankit new`: begin a plugin package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import Commands


@hookimpl
def register_commands(cli: Commands) -> None:
    cli.later("new", "gankit_new.command:new", "Begin a plugin package of your own.")
