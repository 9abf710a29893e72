"""Races: train variants of a run under equal conditions, and test whether they differ."""

from gankit.cli.main import PluginCommands
from gankit.core.parts.hookspecs import hookimpl


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    cli.later("compare", "gankit_race.command:compare", "Compare trained runs.")
    cli.later("race", "gankit_race.command:race", "Train variants of a run and compare them.")
