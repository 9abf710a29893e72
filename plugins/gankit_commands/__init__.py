"""The commands: run, list, show, plugins."""

from gankit import hookimpl


@hookimpl
def register_commands(cli):
    cli.later("list", "gankit_commands.catalogue:list_parts", "List the parts to choose from.")
    cli.later("plugins", "gankit_commands.catalogue:list_plugins", "List plugins and their state.")
    cli.later("run", "gankit_commands.run:run", "Train a GAN.")
    cli.later("show", "gankit_commands.show:show", "Show what a part does, and its code.")
