"""The training loop: logs, samples pictures, saves checkpoints and stops."""

import contextlib
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
from gankit.core import randomness
from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.portable_path import hide_home
from gankit.core.prepared import PreparedDataset
from gankit.core.process_group import ProcessGroup
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.shell import join_command
from gankit.core.step import Scalars
from gankit.core.stop import Progress, Stop, no_progress, stop_on_interrupt
from gankit.core.version import __version__
from gankit.data.messages import summarise
from gankit.distributed.processes import process_group
from gankit.training import assemble, checkpoint
from gankit.training.folder import claim_folder
from gankit.training.observers import Observers
from gankit.training.resume import restore
from gankit.training.run_file import write_run
from gankit.training.run_pictures import prepare_again

log = logging.getLogger("gankit")
GRID_SIZE = 64  # pictures in a grid of samples


def train(
    run: Run,
    registry: Registry | None = None,
    *,
    resume: bool = False,
    progress: Progress = no_progress,
    stop: Stop | Callable[[], int] | None = None,
) -> Path:
    """Train a run to its end; returns its folder. With `resume`, start at its newest checkpoint.

    `progress(done, total)` is called while pictures are prepared. `stop` is called after each step;
    it returns 0 to continue, else a signal's number. An interrupt (Ctrl-C, or a notebook's stop
    button) does the same as `stop` if this is the main thread and no other handler is set; a second
    one raises KeyboardInterrupt at once. Raises RunStopped if the run was stopped (after a
    checkpoint was saved), KeyboardInterrupt if that was before the first step, RunFailed if
    training failed, and GankitError if the run could not start.
    """
    registry = registry or load_registry()
    if not isinstance(stop, Stop):
        stop = Stop(poll=stop) if stop else Stop()
    with stop_on_interrupt(stop) as is_in_python, process_group(stop) as group:
        prepared = prepare_again(run, registry, stop.raise_on_stop(progress))
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
        TrainingLoop(trainer, registry, stop, is_in_python).run_to_end()
    return trainer.run.folder


def _check_agreement(trainer: assemble.Trainer, group: ProcessGroup) -> None:
    """GankitError if this process has other pictures or another step than rank 0."""
    own = {"pictures": trainer.run.fingerprint, "step": trainer.gan.step}
    of_rank_0 = group.broadcast(own)
    if own != of_rank_0:
        differs = f"process {group.rank} starts with {own}, process 0 with {of_rank_0}"
        raise GankitError(f"{differs}: give all processes the same --data and run folder")


def _write_run_file(run: Run, prepared: PreparedDataset) -> None:
    """Write run.json; say how pictures were read, and warn of those that were skipped."""
    versions = {"gankit": __version__, "torch": torch.__version__, "system": platform.platform()}
    pictures = {
        "pictures": len(prepared.pixels),
        "train": prepared.num_train,
        "holdout": len(prepared.holdout),
        "skipped": [hide_home(line) for line in prepared.skipped],
        "notes": prepared.notes,
    }
    write_run(run, versions=versions, prepared=pictures)
    for note in prepared.notes:  # decisions that you may want to change
        log.warning("%s", note)
    if prepared.skipped:
        count = len(prepared.skipped)
        what = "1 file" if count == 1 else f"{count:,} files"
        path = run.folder / "run.json"
        log.warning("skipped %s, listed in %s: %s", what, path, summarise(prepared.skipped))


class TrainingLoop:
    """Trains a run from its trainer's current step to the last step."""

    def __init__(
        self,
        trainer: assemble.Trainer,
        registry: Registry,
        stop: Stop,
        is_in_python: bool = False,  # called from a program or notebook, not the command line
    ) -> None:
        self.trainer = trainer
        self.run = trainer.run
        self.gan = trainer.gan
        self.registry = registry
        self.stop = stop
        self.is_in_python = is_in_python
        has_observers = trainer.gan.process_group.rank == 0
        self.observers = Observers(registry if has_observers else Registry(), stop)
        # What each trick did last, or None if it has not acted yet.
        self.last_activity = {
            trick.name: trainer.earlier_activity.get(trick.name) for trick in trainer.tricks
        }
        self.run_file = (self.run.folder / "run.json").read_bytes() if has_observers else b""
        self.is_save_failing = False  # whether the last checkpoint could not be saved
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
        run = self.run
        gan = self.gan
        self.observers.notify("run_started", run=run, gan=gan, registry=self.registry)
        if gan.step == 0:
            self._draw_samples(0)
        for step in range(gan.step, run.steps):
            scalars = self.trainer.step(step)
            done = step + 1
            gan.step = done
            self.unread.append((done, scalars))
            is_last = done == run.steps
            is_logged = done % run.log_every == 0 or is_last
            signal = self._stop_signal(is_logged)
            if is_logged:
                self._log(done)
            if done % run.draw_every == 0 or is_last:
                self._draw_samples(done)
            if done % run.save_every == 0 or is_last or signal:
                self._save(done, is_final=is_last or bool(signal))
            if signal and not is_last:
                raise RunStopped(self._stop_message(done), 128 + signal)

    def _stop_message(self, step: int) -> str:
        folder = str(self.run.folder)
        message = f"stopped at step {step} of {self.run.steps}; a checkpoint was saved in {folder}"
        if not self.is_in_python:  # the command line prints how to resume
            return message
        return f"{message}; to go on: gankit.train(gankit.load_run({folder!r}), resume=True)"

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
        self._read_losses()
        activity = {trick.name: trick.activity() for trick in self.trainer.tricks}
        self.last_activity |= {name: text for name, text in activity.items() if text is not None}
        seconds = time.perf_counter() - self.started
        scalars = {**self.scalars, "activity": activity, "seconds": seconds}
        self.observers.notify("step_done", run=self.run, step=step, scalars=scalars)

    def _draw_samples(self, step: int) -> None:
        images = self.gan.sample(self.z)
        self.observers.notify("samples_drawn", run=self.run, step=step, images=images)

    def _save(self, step: int, is_final: bool) -> None:
        self._read_losses()  # so that no checkpoint is saved after a NaN
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
        self._write_checkpoint(checkpoint.Checkpoint(step, model, state), is_final)

    def _write_checkpoint(self, saved: checkpoint.Checkpoint, is_final: bool) -> None:
        """Write a checkpoint. If that fails, the next one is the next try; RunFailed if it is the
        run's final one."""
        try:
            path = checkpoint.save(self.run.folder / "checkpoints", saved, self.run.keep)
        except RunFailed as error:
            if is_final:
                resume = join_command(["gankit", "run", "--resume", str(self.run.folder)])
                raise RunFailed(f"{error}; after that, continue with {resume}", 1) from error
            if not self.is_save_failing:
                log.warning("%s; training continues, and the next checkpoint is tried", error)
            self.is_save_failing = True
            return
        if self.is_save_failing:
            log.warning("checkpoints can be saved again: %s", path)
        self.is_save_failing = False
        self._restore_run_file()
        self.observers.notify("checkpoint_saved", run=self.run, step=saved.step, path=path)

    def _restore_run_file(self) -> None:
        """Write run.json again if the run's folder was deleted: a checkpoint is useless alone."""
        path = self.run.folder / "run.json"
        if not path.exists():
            log.warning("%s was deleted during the run, so gankit writes it again", path)
            with contextlib.suppress(OSError):  # the next checkpoint is another try
                write_atomically(path, self.run_file)

    def _fail(self, what: str) -> NoReturn:
        """Raise RunFailed, with advice."""
        checkpoints = checkpoint.list_checkpoints(self.run.folder / "checkpoints")
        saved = "no checkpoint was saved before"
        if checkpoints:
            saved = f"the last good checkpoint is {checkpoints[0]}"
        raise RunFailed(f"{what}, so training stopped; {saved}. Try lower --lr-d and --lr-g", 1)
