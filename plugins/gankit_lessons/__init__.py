"""The lessons in a terminal: `gankit lesson`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("lesson", "gankit_lessons.command:lesson", "Learn GANs: list or take lessons.")
