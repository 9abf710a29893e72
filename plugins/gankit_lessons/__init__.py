"""The lessons in a terminal: `gankit lesson`."""

from gankit import hookimpl


@hookimpl
def register_commands(cli):
    cli.later("lesson", "gankit_lessons.command:lesson", "Learn GANs: list lessons, take one.")
