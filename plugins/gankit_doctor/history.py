"""Read the history of a run from its log.csv."""

from __future__ import annotations

import math

from gankit.core.contracts.seen import History
from gankit.core.run.settings import Run
from gankit.runs.log import NAME, read_log


def read_history(run: Run, until: float = math.inf) -> History:
    """The history of a run up to a step, by default all of it; empty without a log."""
    if not (run.folder / NAME).exists():
        return History()
    return History.of(read_log(run.folder), until)
