"""The lessons in a terminal: `gankit lesson`."""

from gankit import hookimpl
from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("lesson", "gankit_lessons.command:lesson", "Learn GANs: list or take lessons.")
