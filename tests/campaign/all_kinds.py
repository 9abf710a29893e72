"""All kinds of faults that the campaign tries, by name."""

import importlib
from typing import Any

import archives
import at_once
import checkpoint_mutants
import downloads
import full_disks
import kills
import pictures
import processes
import run_files
import saves
import signals
from outcome import Case, Kind, Outcome

PLUGINS = (
    "Each failure of a plugin is one line that names the plugin, with the right exit code; what "
    "was saved before it stays."
)
TERMINALS = (
    "The command ends with the exit code that docs/running.md promises, prints no traceback and no "
    "control character that is not its own, and loses nothing that it had trained."
)


def _of_table(name: str, judged: str, short: int) -> Kind:
    """The kind of a module with a table: `cases()`, and `run_case(case, folder)`'s complaints."""
    module: Any = importlib.import_module(name)
    table = list(module.cases())

    def try_case(case: Case) -> Outcome:
        complaints = module.run_case(table[case.number % len(table)], case.folder)
        return Outcome("right" if not complaints else "wrong", tuple(complaints))

    return Kind(name, judged, try_case, short, len(table), is_silent=False, seconds=90,
                most=len(table))  # fmt: skip


_KINDS = (
    kills.KIND,
    saves.KIND,
    signals.KIND,
    full_disks.KIND,
    checkpoint_mutants.KIND,
    run_files.KIND,
    pictures.KIND,
    archives.KIND,
    downloads.KIND,
    at_once.PREPARING_KIND,
    at_once.TRAINING_KIND,
    processes.KIND,
    _of_table("plugins", PLUGINS, short=8),
    _of_table("terminals", TERMINALS, short=8),
)
KINDS = {kind.name: kind for kind in _KINDS}
