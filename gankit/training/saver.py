"""Saves a run's checkpoints; one that cannot be written is tried again with the next."""

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import RunFailed
from gankit.core.settings import Run
from gankit.core.shell import join_command
from gankit.training import checkpoint
from gankit.training.assemble import Trainer
from gankit.training.find_run import RUN_FILE
from gankit.training.finite import find_non_finite, networks_of, numbers_of
from gankit.training.observers import Observers

log = logging.getLogger("gankit")


class Saver:
    """Saves the networks, optimizers and tricks of a trainer; observers get `checkpoint_saved`."""

    def __init__(self, trainer: Trainer, observers: Observers) -> None:
        self.trainer = trainer
        self.observers = observers
        self.is_failing = False  # whether the last checkpoint could not be saved
        self.run_file = b""  # the bytes of run.json

    def save(
        self, run: Run, step: int, last_activity: Mapping[str, str | None], is_final: bool
    ) -> None:
        """Save a checkpoint. RunFailed if a number in it is not finite, or if the final save fails.

        All processes raise if it is not finite in one of them.
        """
        gan = self.trainer.gan
        state: dict[str, Any] = {"scalers": {}}
        for player in (gan.G, gan.D):
            state[player.name] = player.adam.state_dict()
            state["scalers"][player.name] = player.scaler.state_dict()
        state["tricks"] = {trick.name: trick.state_dict() for trick in self.trainer.tricks}
        state["acted"] = [name for name, text in last_activity.items() if text]
        saved = checkpoint.Checkpoint(step, networks_of(gan), state)
        self._require_finite(run, saved)
        if gan.process_group.rank == 0:
            self._write(run, saved, is_final)

    def _require_finite(self, run: Run, saved: checkpoint.Checkpoint) -> None:
        gan = self.trainer.gan
        new = find_non_finite(numbers_of(saved, gan), self.trainer.non_finite_at_start)
        problem = next(
            (f"{label} is {kind} after step {saved.step}" for label, kind in new.items()), ""
        )
        problem = gan.process_group.first_problem(problem)
        if problem:
            raise training_failed(run, problem)

    def _write(self, run: Run, saved: checkpoint.Checkpoint, is_final: bool) -> None:
        try:
            path = checkpoint.save(run.folder / "checkpoints", saved, run.keep)
        except RunFailed as error:
            if is_final:
                resume = join_command(["gankit", "run", "--resume", str(run.folder)])
                raise RunFailed(f"{error}; after that, continue with {resume}", 1) from error
            if not self.is_failing:
                log.warning("%s; training continues, and the next checkpoint is tried", error)
            self.is_failing = True
            return
        if self.is_failing:
            log.warning("checkpoints can be saved again: %s", path)
        self.is_failing = False
        self._restore_run_file(run)
        self.observers.notify("checkpoint_saved", run=run, step=saved.step, path=path)

    def remember_run_file(self, run: Run) -> None:
        """Keep what run.json says now, to write it again if the run's folder is deleted."""
        if self.trainer.gan.process_group.rank == 0:
            self.run_file = (run.folder / RUN_FILE).read_bytes()

    def _restore_run_file(self, run: Run) -> None:
        """Write run.json again if the run's folder was deleted: a checkpoint is useless alone."""
        path = run.folder / RUN_FILE
        if not path.exists():
            log.warning("%s was deleted during the run, so gankit writes it again", path)
            with contextlib.suppress(OSError):  # the next checkpoint is another try
                write_atomically(path, self.run_file)


def training_failed(run: Run, what: str) -> RunFailed:
    """The error that ends a run whose numbers are not finite any more, with advice."""
    last = checkpoint.find_undamaged(run.folder / "checkpoints")
    saved = f"the last good checkpoint is {last}" if last else "no checkpoint was saved before"
    return RunFailed(f"{what}, so training stopped; {saved}. Try lower --lr-d and --lr-g", 1)
