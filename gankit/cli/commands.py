"""The commands that come with the library: run, sample, list, show, plugins."""

from gankit.cli.main import PluginCommands
from gankit.core.parts.hookspecs import hookimpl


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later(
        "list", "gankit.cli.show.list_parts:list_parts", "List the data sets, models, tricks, ..."
    )
    cli.later(
        "plugins", "gankit.cli.show.list_parts:list_plugins", "List the plugins and their errors."
    )
    cli.later("run", "gankit.cli.run.command:run", "Train a GAN.")
    cli.later("sample", "gankit.cli.sample.command:sample", "Draw pictures and videos from a run.")
    cli.later("show", "gankit.cli.show.command:show", "Show a part, or where a picture comes from.")
