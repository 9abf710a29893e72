"""The commands that come with the library: run, sample, list, show, plugins."""

from gankit.core.hookspecs import hookimpl


@hookimpl
def register_commands(cli):
    cli.later("list", "gankit.cli.catalogue:list_parts", "List the parts to choose from.")
    cli.later("plugins", "gankit.cli.catalogue:list_plugins", "List plugins and their state.")
    cli.later("run", "gankit.cli.run:run", "Train a GAN.")
    cli.later("sample", "gankit.cli.sample:sample", "Draw pictures from a run.")
    cli.later("show", "gankit.cli.show:show", "Show what a part does, and its code.")
