"""Take the steps of a run again, from the nearest checkpoint or from the start."""

from __future__ import annotations

import dataclasses
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.process_group import ProcessGroup
from gankit.core.progress import Progress
from gankit.core.run.settings import Run
from gankit.training.assemble import Trainer
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.resume import restore_from, run_at_end
from gankit.training.guard import guard_parts
from gankit.training.stages import trainer_of_stage
from gankit.training.start import make_trainer
from gankit.training.step_log import StepLog
from gankit_unfold.exact import Rows, require_same_numbers
from gankit_unfold.study import UnfoldedStep, study
from gankit_unfold.watch import WatchedStep, watch_step

MEASURED = 3  # steps, after a first one, to estimate how long all will take
STUDY_STEPS = 15  # that unfolding a step takes the time of
log = logging.getLogger("gankit")


@dataclasses.dataclass
class Stretch:
    """Steps to take one after the other."""

    start: int  # the number of steps that are done before
    end: int  # and after: a step in the log, so that there are numbers to compare
    unfolded: list[int] = dataclasses.field(default_factory=list)


def plan(steps: Sequence[int], checkpoints: Sequence[int], logged: Sequence[int]) -> list[Stretch]:
    """The stretches to take for these steps; a step is the number of steps that are done after it.

    Each begins at the start of the run or at the nearest checkpoint before its first step.
    """
    stretches: list[Stretch] = []
    for step in sorted(steps):
        start = max([0, *(saved for saved in checkpoints if saved < step)])
        if not stretches or start >= stretches[-1].end:
            stretches.append(Stretch(start, step))
        stretches[-1].unfolded.append(step)
        stretches[-1].end = min(row for row in logged if row >= step)
    return stretches


class Replay:
    """Takes the steps of a run again. It writes nothing into the run."""

    def __init__(
        self,
        run: Run,
        registry: Registry,
        prepared: PreparedDataset,
        rows: Rows,
        announce: Callable[[str], None],
        progress: Progress,
    ) -> None:
        self.run = run
        self.registry = registry
        self.prepared = prepared
        self.rows = rows
        self.announce = announce
        self.progress = progress
        self.compared: dict[int, int] = {}  # step -> how many numbers of its row are the same
        self.seconds: list[float] = []  # of the steps so far

    def unfold(self, steps: Sequence[int]) -> list[UnfoldedStep]:
        """Take all steps that are needed, and unfold these. GankitError if a number differs."""
        checkpoints = self._checkpoints()
        stretches = plan(steps, list(checkpoints), list(self.rows))
        while damaged := _find_damaged(stretches, checkpoints):
            del checkpoints[damaged]
            stretches = plan(steps, list(checkpoints), list(self.rows))
        total = sum(stretch.end - stretch.start for stretch in stretches)
        starts = [stretch.start for stretch in stretches]
        unfolded: list[UnfoldedStep] = []
        for stretch in stretches:
            trainer = self._begin(stretch, checkpoints)
            for done in range(stretch.start + 1, stretch.end + 1):
                trainer = self._in_stage(trainer)
                watched = self._take_step(trainer, done, done in stretch.unfolded)
                if watched:
                    unfolded.append(study(trainer, watched, done, done in self.rows))
                trainer.gan.step = done
                if len(self.seconds) == 1 + MEASURED:
                    self._announce(total, len(steps), starts)
                self.progress(len(self.seconds), total)
        return unfolded

    def _checkpoints(self) -> dict[int, Path]:
        """Step -> its checkpoint in the run."""
        paths = checkpoint.list_checkpoints(self.run.folder / "checkpoints")
        return {checkpoint.step_of(path): path for path in paths}

    def _begin(self, stretch: Stretch, checkpoints: dict[int, Path]) -> Trainer:
        """The run as it was at the start of a stretch."""
        run = run_at_end(self.run, stretch.start)
        trainer = make_trainer(run, self.registry, self.prepared, ProcessGroup())
        self.step_log = StepLog(trainer)
        if stretch.start:
            path = checkpoints[stretch.start]
            saved = checkpoint.load(path)
            with guard_parts(trainer, self.registry), checkpoint.errors_of(path):
                restore_from(saved, trainer)
        return trainer

    def _in_stage(self, trainer: Trainer) -> Trainer:
        """The trainer of the next step, with which a stage of the run may begin."""
        next_trainer = trainer_of_stage(trainer, self.run, self.registry)
        if next_trainer is not trainer:
            self.step_log = StepLog(next_trainer)
        return next_trainer

    def _take_step(self, trainer: Trainer, done: int, is_unfolded: bool) -> WatchedStep | None:
        """Take the step after which `done` steps are done; watch it, if it is to be unfolded."""
        started = time.perf_counter()
        with guard_parts(trainer, self.registry):
            watched = watch_step(trainer, done - 1) if is_unfolded else None
            self.step_log.add(done, watched.scalars if watched else trainer.step(done - 1))
            row = self.rows.get(done)
            if row is not None:
                self.step_log.read_losses(self.run)
                numbers = self.step_log.read_row()  # as in the run; it resets what tricks count
                self.compared[done] = require_same_numbers(self.run, done, row, numbers)
        self.seconds.append(time.perf_counter() - started)
        return watched

    def _announce(self, total: int, num_unfolded: int, starts: Sequence[int]) -> None:
        """Say how long all will take, as measured in the first steps."""
        typical = statistics.median(self.seconds[1:])
        seconds = typical * (total + STUDY_STEPS * num_unfolded)
        places = " and ".join(f"step {start:,}" if start else "the start" for start in starts)
        self.announce(f"taking {total:,} steps again, from {places}: about {seconds:,.0f} s")


def _find_damaged(stretches: Sequence[Stretch], checkpoints: dict[int, Path]) -> int:
    """The step of a checkpoint that a stretch starts from and that cannot be read; 0 if all can."""
    for stretch in stretches:
        if stretch.start:
            try:
                checkpoint.load(checkpoints[stretch.start])
            except GankitError as error:
                log.warning("%s; an earlier one, or the start, is used instead", error)
                return stretch.start
    return 0
