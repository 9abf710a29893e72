"""The commands: run, list, show, plugins."""

from gankit import hookimpl


@hookimpl
def register_commands(cli):
    from gankit_commands import catalogue, run, show

    cli.add_command(run.run)
    cli.add_command(catalogue.list_parts)
    cli.add_command(catalogue.list_plugins)
    cli.add_command(show.show)
