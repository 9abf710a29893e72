"""`unfold`: take chosen steps of a run again, and see all that happened in them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gankit.compute.threads import restore_threads
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.progress import Progress, no_progress
from gankit.core.run.settings import Run
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.run_file import folder_of, load_run
from gankit.training.run_folder.run_parts import TRAINED, require_parts
from gankit.training.run_folder.run_pictures import prepare_begun
from gankit.training.settings.python_words import errors_in_python
from gankit_unfold.exact import read_log_rows, require_repeatable, require_same_pictures
from gankit_unfold.replay import Replay
from gankit_unfold.steps import default_steps, parse_steps
from gankit_unfold.study import UnfoldedStep

log = logging.getLogger("gankit")


@dataclass
class Unfolding:
    """Some steps of a run, taken again and unfolded."""

    run: Run
    steps: list[UnfoldedStep]
    compared: dict[int, int]  # step -> how many numbers of its row in log.csv are the same

    def to_dict(self) -> dict[str, Any]:
        """All numbers, as `gankit unfold --json` prints them."""
        from gankit_unfold.numbers import to_dict

        return to_dict(self.run.folder.name, self.steps, self.compared)

    def write(self, path: str | Path) -> Path:
        """Write the page, one HTML file; returns its path. GankitError."""
        from gankit_unfold.page import write_page

        return write_page(self.run, self.steps, self.compared, Path(path))


@errors_in_python()
def unfold(
    run: str | Path | Run,
    at: str | int | Sequence[int] = "",
    *,
    registry: Registry | None = None,
    announce: Callable[[str], None] = log.info,
    progress: Progress = no_progress,
) -> Unfolding:
    """Take steps of a run again, exactly as the run took them, and keep all that happened.

    `at`: steps as log.csv counts them, such as "0,50,best,last"; by default four. The steps between
    are taken too, from the nearest checkpoint or from the start; `announce` gets a line that says
    how long that takes. Each number that log.csv has of these steps is compared. Nothing is written
    into the run.

        unfold("runs/petals-1", at="50,last").write("unfolded.html")

    GankitError if the numbers cannot be repeated, or are not those of the log.
    """
    folder = find_run(folder_of(run))
    loaded = load_run(run if isinstance(run, Run) else folder)
    loaded = dataclasses.replace(loaded, metrics=())  # which a step does not need
    registry = registry_of(loaded, registry)
    require_parts(loaded, registry, TRAINED)
    require_repeatable(loaded)
    rows = read_log_rows(loaded)
    logged = sorted(rows)
    text = at if isinstance(at, str) else ",".join(map(str, [at] if isinstance(at, int) else at))
    steps = parse_steps(text, logged, folder) if text else default_steps(logged)
    with restore_threads(restore=True):
        prepared = prepare_begun(loaded, registry, no_progress)
        require_same_pictures(loaded, prepared)
        replay = Replay(loaded, registry, prepared, rows, announce, progress)
        unfolded = replay.unfold(steps)
    return Unfolding(loaded, unfolded, replay.compared)
