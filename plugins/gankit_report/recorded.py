"""What is known of a run, read from the files in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gankit_metrics.metrics_file import read_metrics

from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run
from gankit.runs.grids import list_grids
from gankit.runs.log import NAME, read_log
from gankit.training.checkpoints.named_checkpoint import best_step
from gankit.training.run_folder.run_file import load_run, read_notes
from gankit_report.verdict import Verdict, read_verdict


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A run and all that its folder says about it. Everything in it may come from somebody else."""

    run: Run
    log: Mapping[str, Sequence[Any]]  # columns of log.csv; empty without a log
    metrics: Sequence[Mapping[str, Any]]  # rows of metrics.json, oldest first
    grids: Sequence[tuple[int, Path]]  # step and file
    best: int | None  # the step of the best checkpoint, with --keep-best
    verdict: Verdict
    notes: Mapping[str, Any]  # entries of run.json that are not settings
    problems: Sequence[str]  # files that could not be read, and why

    @property
    def steps(self) -> list[int]:
        """The steps of the log's rows."""
        return [int(step) for step in self.log.get("step", ())]

    @property
    def last_step(self) -> int:
        """The last step that something is known of."""
        last_grid = [step for step, _ in self.grids[-1:]]
        return max([*self.steps[-1:], *last_grid, 1])

    def column(self, name: str) -> list[float]:
        """A column of numbers of the log; empty if it has none."""
        values = self.log.get(name, ())
        return [value for value in values if isinstance(value, float)]


def read_recorded(folder: Path, registry: Registry | None, *, examine: bool) -> Recorded:
    """Read the folder of a run. GankitError if it is not a run; other files may be missing.

    `examine`: let the doctor look at a run that was trained without it, which takes some seconds.
    """
    run = load_run(folder)
    problems: list[str] = []
    log: Mapping[str, Sequence[Any]] = {}
    metrics: Sequence[Mapping[str, Any]] = ()
    try:
        if (folder / NAME).exists():
            log = read_log(folder)
    except GankitError as error:
        problems.append(str(error))
    try:
        metrics = read_metrics(folder)
    except GankitError as error:
        problems.append(str(error))
    return Recorded(
        run=run,
        log=log,
        metrics=metrics,
        grids=list_grids(folder),
        best=best_step(folder / "checkpoints") if run.keep_best else None,
        verdict=read_verdict(run, registry, examine=examine),
        notes=read_notes(folder),
        problems=problems,
    )
