"""The loop: when to log, draw, save and stop."""

import dataclasses
import logging
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gankit.compute.compiling import compile_networks
from gankit.core import randomness
from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.prepared import PreparedDataset
from gankit.core.process_group import ProcessGroup
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.step import Scalars
from gankit.core.stop import Progress, Stop
from gankit.core.version import __version__
from gankit.data.prepare import prepare
from gankit.distributed.processes import process_group
from gankit.training import assemble, checkpoint
from gankit.training.folder import claim_folder
from gankit.training.observers import Observers
from gankit.training.resume import restore
from gankit.training.run_file import write_run

log = logging.getLogger("gankit")
DRAWN = 64  # pictures in a grid


def train(
    run: Run,
    registry: Registry | None = None,
    *,
    resume: bool = False,
    progress: Progress = lambda done, total: None,
    stop: Stop | Callable[[], int] | None = None,
) -> Path:
    """Train a run to its end; returns its folder. With `resume` it goes on from its checkpoint.

    `progress(done, total)` is told how preparing the pictures comes along. `stop` is asked after
    each step: 0 to go on, else a signal's number. RunStopped once it asks for an end (a checkpoint
    is saved), KeyboardInterrupt if that is before the first step, RunFailed when it cannot go on.
    """
    registry = registry or load_registry()
    if not isinstance(stop, Stop):
        stop = Stop(poll=stop) if stop else Stop()
    with process_group(stop) as group:
        prepared = prepare(run, registry, stop.ends(progress))
        if run.fingerprint not in ("", prepared.fingerprint):
            log.warning("these are not the pictures that %s began with", run.folder)
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
            _write_down(trainer.run, prepared)
        TrainingLoop(trainer, registry, stop).run_to_end()
    return trainer.run.folder


def _check_agreement(trainer: assemble.Trainer, group: ProcessGroup) -> None:
    """Refuse processes that would train on other pictures or from another step than rank 0."""
    ours = {"pictures": trainer.run.fingerprint, "step": trainer.gan.step}
    first = group.broadcast(ours)
    if ours != first:
        raise GankitError(f"process {group.rank} has {ours}, not {first}; all need the same")


def _write_down(run: Run, prepared: PreparedDataset) -> None:
    """Write run.json, and say which pictures were skipped."""
    versions = {"gankit": __version__, "torch": torch.__version__, "system": platform.platform()}
    pictures = {
        "pictures": len(prepared.pixels),
        "train": prepared.num_train,
        "holdout": len(prepared.holdout),
        "skipped": prepared.skipped,
    }
    write_run(run, versions=versions, prepared=pictures)
    if prepared.skipped:
        many = f"skipped {len(prepared.skipped)} pictures, listed in {run.folder / 'run.json'}"
        log.warning("%s; the first: %s", many, prepared.skipped[0])


class TrainingLoop:
    """One run, from where its trainer stands to its end."""

    def __init__(self, trainer: assemble.Trainer, registry: Registry, stop: Stop) -> None:
        self.trainer = trainer
        self.run = trainer.run
        self.gan = trainer.gan
        self.registry = registry
        self.stop = stop
        is_first = trainer.gan.process_group.rank == 0  # the others tell nobody what happens
        self.observers = Observers(registry if is_first else Registry(), stop)
        self.acted = {trick.name: trainer.acted.get(trick.name) for trick in trainer.tricks}
        self.unread: list[tuple[int, Scalars]] = []  # steps whose losses were not looked at yet
        self.scalars: dict[str, float] = {}  # of the last step that was looked at
        self.z = randomness.latents(self.run.seed, 0, DRAWN, self.run.latent_dim, "grid")
        self.started = time.perf_counter()

    def run_to_end(self) -> None:
        state = "finished"
        message = ""
        try:
            self._steps()
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
                "tricks": self.acted,
            }
            self.observers.tell("run_finished", run=self.run, outcome=outcome)

    def _steps(self) -> None:
        run = self.run
        gan = self.gan
        self.observers.tell("run_started", run=run, gan=gan, registry=self.registry)
        if gan.step == 0:
            self._draw(0)
        for step in range(gan.step, run.steps):
            scalars = self.trainer.step(step)
            done = step + 1
            gan.step = done
            self.unread.append((done, scalars))
            last = done == run.steps
            logs = done % run.log_every == 0 or last
            signal = self._asked_to_stop(logs)
            if logs:
                self._log(done)
            if done % run.draw_every == 0 or last:
                self._draw(done)
            if done % run.save_every == 0 or last or signal:
                self._save(done)
            if signal and not last:
                raise RunStopped(f"stopped at step {done} of {run.steps}, and saved", 128 + signal)

    def _asked_to_stop(self, logs: bool) -> int:
        """A signal's number once an end is asked for; several processes agree where they log."""
        group = self.gan.process_group
        if group.world_size == 1:
            return self.stop()
        return int(group.broadcast(self.stop())) if logs else 0

    def _read_losses(self) -> None:
        """Read the steps' numbers, oldest first; the first that is no finite number is named."""
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
        self.acted |= {name: did for name, did in activity.items() if did is not None}
        seconds = time.perf_counter() - self.started
        scalars = {**self.scalars, "activity": activity, "seconds": seconds}
        self.observers.tell("step_done", run=self.run, step=step, scalars=scalars)

    def _draw(self, step: int) -> None:
        images = self.gan.sample(self.z)
        self.observers.tell("samples_drawn", run=self.run, step=step, images=images)

    def _save(self, step: int) -> None:
        self._read_losses()  # a checkpoint is only good if they were
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
        state["acted"] = [name for name, did in self.acted.items() if did]
        if gan.process_group.rank:
            return
        saved = checkpoint.Checkpoint(step, model, state)
        path = checkpoint.save(self.run.folder / "checkpoints", saved, self.run.keep)
        self.observers.tell("checkpoint_saved", run=self.run, step=step, path=path)

    def _fail(self, what: str) -> None:
        checkpoints = checkpoint.existing(self.run.folder / "checkpoints")
        kept = "nothing was saved before"
        if checkpoints:
            kept = f"the last good checkpoint is {checkpoints[0]}"
        raise RunFailed(f"{what}, so training stopped; {kept}. Try lower --lr-d and --lr-g", 1)
