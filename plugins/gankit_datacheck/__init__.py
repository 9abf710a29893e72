"""`gankit data`: check, preview and tidy up pictures before a GAN sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit.core.hookspecs import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("data", "gankit_datacheck.commands:data", "Check, preview and tidy up pictures.")
