"""The training loop: logs, samples pictures, saves checkpoints and stops."""

import dataclasses
import logging
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import torch

from gankit.compute.compiling import compile_networks
from gankit.compute.threads import restore_threads
from gankit.core import randomness
from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.prepared import PreparedDataset
from gankit.core.process_group import ProcessGroup
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.step import Scalars
from gankit.core.stop import Progress, Stop, no_progress
from gankit.core.version import __version__
from gankit.data.prepare import prepare
from gankit.distributed.processes import process_group
from gankit.training import assemble, checkpoint
from gankit.training.budget import Budget, Stopwatch
from gankit.training.folder import claim_folder
from gankit.training.observers import Observers
from gankit.training.pace import Pace
from gankit.training.resume import restore
from gankit.training.run_file import update_run, write_run

log = logging.getLogger("gankit")
GRID_SIZE = 64  # pictures in a grid of samples


def train(
    run: Run,
    registry: Registry | None = None,
    *,
    resume: bool = False,
    progress: Progress = no_progress,
    stop: Stop | Callable[[], int] | None = None,
    budget: Budget | None = None,
) -> Path:
    """Train a run to its end; returns its folder. With `resume`, start at its newest checkpoint.

    `progress(done, total)` is called while pictures are prepared. `stop` is called after each step;
    it returns 0 to continue, else a signal's number. With `budget`, the number of steps may change
    while the run trains. Raises RunStopped if `stop` ended the run
    (after a checkpoint was saved), KeyboardInterrupt if it did so before the first step, RunFailed
    if training failed, and GankitError if the run could not start.
    """
    registry = registry or load_registry()
    if not isinstance(stop, Stop):
        stop = Stop(poll=stop) if stop else Stop()
    with process_group(stop) as group, restore_threads(restore=not run.threads):
        prepared = prepare(run, registry, stop.raise_on_stop(progress))
        if run.fingerprint not in ("", prepared.fingerprint):
            log.warning("the pictures have changed since %s began", run.folder)
        run = assemble.resolve_auto(run, prepared)
        run = dataclasses.replace(run, precision=group.broadcast(run.precision))
        trainer = assemble.assemble(run, registry, prepared)
        trainer.run = compile_networks(run, trainer.gan)
        if resume:
            restore(trainer)
        _check_agreement(trainer, group)
        if not resume and group.rank == 0:
            trainer.run = claim_folder(trainer.run)
        trainer.run = dataclasses.replace(trainer.run, out=group.broadcast(trainer.run.out))
        if group.rank == 0:
            _write_run_file(trainer.run, prepared)
        TrainingLoop(trainer, registry, stop, budget).run_to_end()
    return trainer.run.folder


def _check_agreement(trainer: assemble.Trainer, group: ProcessGroup) -> None:
    """GankitError if this process has other pictures or another step than rank 0."""
    own = {"pictures": trainer.run.fingerprint, "step": trainer.gan.step}
    of_rank_0 = group.broadcast(own)
    if own != of_rank_0:
        differs = f"process {group.rank} starts with {own}, process 0 with {of_rank_0}"
        raise GankitError(f"{differs}: give all processes the same --data and run folder")


def _write_run_file(run: Run, prepared: PreparedDataset) -> None:
    """Write run.json, and warn of skipped pictures."""
    versions = {"gankit": __version__, "torch": torch.__version__, "system": platform.platform()}
    pictures = {
        "pictures": len(prepared.pixels),
        "train": prepared.num_train,
        "holdout": len(prepared.holdout),
        "skipped": prepared.skipped,
    }
    write_run(run, versions=versions, prepared=pictures)
    if prepared.skipped:
        count = len(prepared.skipped)
        pictures_skipped = "1 picture" if count == 1 else f"{count} pictures"
        path = run.folder / "run.json"
        message = "skipped %s, listed in %s; the first: %s"
        log.warning(message, pictures_skipped, path, prepared.skipped[0])


class TrainingLoop:
    """Trains a run from its trainer's current step to the last step."""

    def __init__(
        self,
        trainer: assemble.Trainer,
        registry: Registry,
        stop: Stop,
        budget: Budget | None = None,
    ) -> None:
        self.trainer = trainer
        self.run = trainer.run
        self.gan = trainer.gan
        self.registry = registry
        self.stop = stop
        self.budget = budget
        self.stopwatch = Stopwatch()
        self.pace = Pace(trainer.run)
        has_observers = trainer.gan.process_group.rank == 0
        self.observers = Observers(registry if has_observers else Registry(), stop)
        # What each trick did last, or None if it has not acted yet.
        self.last_activity = {
            trick.name: trainer.earlier_activity.get(trick.name) for trick in trainer.tricks
        }
        self.unread: list[tuple[int, Scalars]] = []  # steps whose losses were not read yet
        self.scalars: dict[str, float] = {}  # of the last step that was read
        self.z = randomness.latents(self.run.seed, 0, GRID_SIZE, self.run.latent_dim, "grid")
        self.started = time.perf_counter()

    def run_to_end(self) -> None:
        """Take all steps; observers get `run_finished` also if a step raises."""
        state = "finished"
        message = ""
        try:
            self._take_steps()
        except BaseException as error:
            state = "stopped" if isinstance(error, RunStopped | KeyboardInterrupt) else "failed"
            message = str(error)
            raise
        finally:
            outcome = {
                "state": state,
                "step": self.gan.step,
                "message": message,
                "seconds": time.perf_counter() - self.started,
                "tricks": self.last_activity,
            }
            self.observers.notify("run_finished", run=self.run, outcome=outcome)

    def _take_steps(self) -> None:
        gan = self.gan
        self._begin()
        while gan.step < self.run.steps:
            run = self.run
            done = self._take_step()
            is_last = done == run.steps
            is_logged = done % run.log_every == 0 or is_last
            signal = self._stop_signal(is_logged)
            if is_logged:
                self._log(done)
            if done % run.draw_every == 0 or is_last:
                self._draw_samples(done)
            if done % run.save_every == 0 or is_last or signal:
                self._save(done)
            if signal and not is_last:
                message = f"stopped at step {done} of {run.steps}; a checkpoint was saved"
                raise RunStopped(message, 128 + signal)

    def _begin(self) -> None:
        self.observers.notify("run_started", run=self.run, gan=self.gan, registry=self.registry)
        if self.gan.step == 0:
            self._draw_samples(0)
        if self.budget:
            self.budget.begin(self.stopwatch)

    def _take_step(self) -> int:
        """Take the next step; returns the number of steps that are done."""
        step = self.gan.step
        with self.pace.timing():
            scalars = self.trainer.step(step)
        self.gan.step = step + 1
        self.unread.append((self.gan.step, scalars))
        return self.gan.step

    def _plan_anew(self) -> None:
        """Change the length of the run if its budget demands it, and write that into run.json."""
        if not self.budget:
            return
        run = self.budget.keep(self.run, self.gan.step, self.stopwatch)
        if run is self.run:
            return
        try:
            update_run(run)
        except GankitError as error:
            log.warning("%s; so the run keeps its %s steps", error, self.run.steps)
            return
        log.warning(
            "planned anew at step %s: %s steps instead of %s, to end within --budget %s; %s has "
            "the command that repeats this run",
            self.gan.step,
            run.steps,
            self.run.steps,
            self.budget.text,
            run.folder / "run.json",
        )
        self.run = run
        self.trainer.run = run

    def _stop_signal(self, is_logged: bool) -> int:
        """0, or the signal's number if the run should end.

        Several processes agree on it, but only at logged steps, because that takes an all-reduce.
        """
        group = self.gan.process_group
        if group.world_size == 1:
            return self.stop()
        return int(group.broadcast(self.stop())) if is_logged else 0

    def _read_losses(self) -> None:
        """Read the losses of the steps since the last call; RunFailed at a NaN or infinity."""
        for step, scalars in self.unread:
            self.scalars = {name: float(value) for name, value in scalars.items()}
            for name in ("d_loss", "penalty", "g_loss"):  # in the order they are computed
                value = self.scalars.get(name, 0.0)
                if not math.isfinite(value):
                    self._fail(f"{name} became {value} at step {step}")
        self.unread = []

    def _log(self, step: int) -> None:
        with self.pace.timing():  # on a GPU, this waits for the steps
            self._read_losses()
        self.pace.check(step)
        activity = {trick.name: trick.activity() for trick in self.trainer.tricks}
        self.last_activity |= {name: text for name, text in activity.items() if text is not None}
        seconds = time.perf_counter() - self.started
        scalars = {**self.scalars, "activity": activity, "seconds": seconds}
        with self.stopwatch.timing("log"):
            self.observers.notify("step_done", run=self.run, step=step, scalars=scalars)
        self._plan_anew()

    def _draw_samples(self, step: int) -> None:
        with self.stopwatch.timing("draw"):
            images = self.gan.sample(self.z)
            self.observers.notify("samples_drawn", run=self.run, step=step, images=images)

    def _save(self, step: int) -> None:
        self._read_losses()  # so that no checkpoint is saved after a NaN
        with self.stopwatch.timing("save"):
            self._save_checkpoint(step)

    def _save_checkpoint(self, step: int) -> None:
        gan = self.gan
        model: dict[str, Any] = {}
        state: dict[str, Any] = {"scalers": {}}
        for player in (gan.G, gan.D):
            if not all(bool(p.isfinite().all()) for p in player.net.parameters()):
                self._fail(f"a weight of {player.name} is not finite after step {step}")
            model[player.name] = player.net.state_dict()
            state[player.name] = player.adam.state_dict()
            state["scalers"][player.name] = player.scaler.state_dict()
        if gan.sampler is not gan.G.net:
            model["sampler"] = gan.sampler.state_dict()
        state["tricks"] = {trick.name: trick.state_dict() for trick in self.trainer.tricks}
        state["acted"] = [name for name, text in self.last_activity.items() if text]
        if gan.process_group.rank:
            return
        saved = checkpoint.Checkpoint(step, model, state)
        path = checkpoint.save(self.run.folder / "checkpoints", saved, self.run.keep)
        self.observers.notify("checkpoint_saved", run=self.run, step=step, path=path)

    def _fail(self, what: str) -> NoReturn:
        """Raise RunFailed, with advice."""
        checkpoints = checkpoint.list_checkpoints(self.run.folder / "checkpoints")
        saved = "no checkpoint was saved before"
        if checkpoints:
            saved = f"the last good checkpoint is {checkpoints[0]}"
        raise RunFailed(f"{what}, so training stopped; {saved}. Try lower --lr-d and --lr-g", 1)
