"""`python -m gankit` is `gankit`: the command line, which is a plugin like the rest."""

from importlib.metadata import entry_points

next(iter(entry_points(group="console_scripts", name="gankit"))).load()()
