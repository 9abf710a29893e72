"""Saves a run's checkpoints; one that cannot be written is tried again with the next."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gankit.core.errors import RunFailed
from gankit.core.run.settings import Run, command_about
from gankit.training.assemble import Trainer
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.finite import find_non_finite, networks_of, numbers_of
from gankit.training.observers import Observers
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.folder import RunFolder

log = logging.getLogger("gankit")


class Saver:
    """Saves the networks, optimizers and tricks of a trainer; observers get `checkpoint_saved`."""

    def __init__(self, trainer: Trainer, observers: Observers, folder: RunFolder) -> None:
        self.trainer = trainer
        self.observers = observers
        self.folder = folder
        self.is_failing = False  # whether the last checkpoint could not be saved
        self.last_path: Path | None = None  # of the last checkpoint of this process

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
        if self.trainer.last_penalty is not None:
            state["penalty"] = self.trainer.last_penalty
        best = self.trainer.best.state_dict()
        if best:
            state["best"] = best
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

    def save_again_if_deleted(self, run: Run, last_activity: Mapping[str, str | None]) -> None:
        """Save the last checkpoint again if it was deleted; RunFailed if that is impossible."""
        self.folder.make_again(run, is_last=True)
        if self.last_path and self._is_deleted(self.last_path):
            self.save(run, self.trainer.gan.step, last_activity, is_final=True)

    def _is_deleted(self, path: Path) -> bool:
        """Whether a checkpoint of this process is gone; warns if it is."""
        if (path / checkpoint.MANIFEST).exists():
            return False
        self.last_path = None
        log.warning("%s was deleted or moved during the run; gankit saves another one", path)
        return True

    def _write(self, run: Run, saved: checkpoint.Checkpoint, is_final: bool) -> None:
        self.folder.make_again(run)
        if self.last_path:
            self._is_deleted(self.last_path)
        try:
            best = self.trainer.best.score
            folder = run.folder / "checkpoints"
            path = checkpoint.save(folder, saved, run.keep, best.step if best else None)
        except RunFailed as error:
            self.trainer.best.confirm(is_saved=False)
            if is_final:
                raise RunFailed(f"{error}; {_what_is_left(run)}", 1) from error
            if not self.is_failing:
                log.warning("%s; training continues, and the next checkpoint is tried", error)
            self.is_failing = True
            return
        if self.is_failing:
            log.warning("checkpoints can be saved again: %s", path)
        self.is_failing = False
        self.last_path = path
        self.trainer.best.confirm(is_saved=True)
        self.observers.notify("checkpoint_saved", run=run, step=saved.step, path=path)


def _what_is_left(run: Run) -> str:
    if not (run.folder / RUN_FILE).exists():
        return f"{run.folder} was deleted, moved or replaced during the run, and nothing is left"
    resume = command_about(run, "run", "--resume", str(run.folder))
    return f"after that, continue with {resume}"


def training_failed(run: Run, what: str) -> RunFailed:
    """The error that ends a run whose numbers are not finite any more, with advice."""
    last = checkpoint.find_undamaged(run.folder / "checkpoints")
    saved = f"the last good checkpoint is {last}" if last else "no checkpoint was saved before"
    return RunFailed(f"{what}, so training stopped; {saved}. Try lower --lr-d and --lr-g", 1)
