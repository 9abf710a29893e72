"""Fair races: variants with the same data, weights and budget, and what may be said of them."""

from gankit.core.hookspecs import hookimpl


@hookimpl
def register_commands(cli):
    cli.later("compare", "gankit_race.command:compare", "Compare runs that exist.")
    cli.later("race", "gankit_race.command:race", "Train variants of a run and compare them.")
