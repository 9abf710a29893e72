"""Fair races: variants with the same data, weights and budget, and what may be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit.core.hookspecs import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("compare", "gankit_race.command:compare", "Compare runs that exist.")
    cli.later("race", "gankit_race.command:race", "Train variants of a run and compare them.")
