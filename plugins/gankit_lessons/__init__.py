"""The lessons in a terminal, `gankit lesson`; and broken runs to heal, `gankit patient`."""

from gankit import hookimpl
from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("lesson", "gankit_lessons.command:lesson", "Learn GANs: list or take lessons.")
    summary = "Heal a broken run: find out what is wrong, and cure it."
    cli.later("patient", "gankit_lessons.patients.command:patient", summary)
