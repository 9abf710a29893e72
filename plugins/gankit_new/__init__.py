"""`gankit new`: begin a plugin package."""

from gankit import hookimpl


@hookimpl
def register_commands(cli):
    cli.later("new", "gankit_new.command:new", "Begin a plugin package of your own.")
