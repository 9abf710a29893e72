"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from gankit import hookimpl
from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("plugin-name", "plugin_name.command:plugin_name", "Print a log's last line.")
