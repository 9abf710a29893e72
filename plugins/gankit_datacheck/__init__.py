"""`gankit data`: checks and previews pictures before a GAN is trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit.core.hookspecs import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("data", "gankit_datacheck.commands:data", "Check and preview your pictures.")
