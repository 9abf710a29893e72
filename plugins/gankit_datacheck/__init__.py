"""`gankit data`: checks and previews pictures before a GAN is trained on them."""

from gankit.cli.main import PluginCommands
from gankit.core.parts.hookspecs import hookimpl


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("data", "gankit_datacheck.commands:data", "Check and preview your pictures.")
