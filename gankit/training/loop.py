"""The training loop: logs, samples pictures, saves checkpoints and stops."""

import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gankit.compute.compiling import compile_networks
from gankit.compute.threads import restore_threads
from gankit.core import randomness
from gankit.core.errors import GankitError, RunStopped, error_text
from gankit.core.prepared import PreparedDataset
from gankit.core.process_group import ProcessGroup
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.step import FIRST_SCORES, Scalars
from gankit.core.stop import Progress, Stop, no_progress, stop_on_interrupt
from gankit.distributed.processes import process_group
from gankit.training import assemble
from gankit.training.budget import Budget, Stopwatch
from gankit.training.explain_losses import explain_losses
from gankit.training.folder import RunFolder
from gankit.training.guard import guard_parts
from gankit.training.links import check_run_folder
from gankit.training.observers import Observers
from gankit.training.pace import Pace
from gankit.training.resume import restore
from gankit.training.run_file import update_run
from gankit.training.run_pictures import prepare_again
from gankit.training.saver import Saver, training_failed
from gankit.training.start import begin_folder, check_agreement, reopen_folder

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
    it returns 0 to continue, else a signal's number. An interrupt (Ctrl-C, or a notebook's stop
    button) does the same as `stop` if this is the main thread and no other handler is set; a second
    one raises KeyboardInterrupt at once. With `budget`, the number of steps may change while the
    run trains. Raises RunStopped if the run was stopped (after a checkpoint was saved),
    KeyboardInterrupt if that was before the first step, RunFailed if training failed, and
    GankitError if the run could not start.
    """
    check_run_folder(run)
    registry = registry or load_registry()
    if not isinstance(stop, Stop):
        stop = Stop(poll=stop) if stop else Stop()
    with (
        stop_on_interrupt(stop) as is_in_python,
        process_group(stop) as group,
        restore_threads(restore=not run.threads),
        RunFolder() as folder,
    ):
        if resume:
            reopen_folder(run, folder, registry, group)
        prepared = prepare_again(run, registry, stop.raise_on_stop(progress))
        trainer = _make_trainer(run, registry, prepared, group)
        if resume:
            with guard_parts(trainer, registry):
                restore(trainer)
        check_agreement(trainer, group)
        begin_folder(trainer, folder, registry, prepared, is_new=not resume)
        TrainingLoop(trainer, registry, folder, stop, budget, is_in_python).run_to_end()
    return trainer.run.folder


def _make_trainer(
    run: Run, registry: Registry, prepared: PreparedDataset, group: ProcessGroup
) -> assemble.Trainer:
    """The trainer of a run whose `auto` settings are resolved, alike in all processes."""
    run = assemble.resolve_auto(run, prepared)
    run = dataclasses.replace(run, precision=group.broadcast(run.precision))
    trainer = assemble.assemble(run, registry, prepared)
    trainer.run = compile_networks(run, trainer.gan)
    return trainer


class TrainingLoop:
    """Trains a run from its trainer's current step to the last step."""

    def __init__(
        self,
        trainer: assemble.Trainer,
        registry: Registry,
        folder: RunFolder,
        stop: Stop,
        budget: Budget | None = None,
        is_in_python: bool = False,  # called from a program or notebook, not the command line
    ) -> None:
        self.trainer = trainer
        self.run = trainer.run
        self.gan = trainer.gan
        self.registry = registry
        self.folder = folder
        self.stop = stop
        self.budget = budget
        self.is_in_python = is_in_python
        self.stopwatch = Stopwatch()
        self.pace = Pace(trainer.run)
        has_observers = trainer.gan.process_group.rank == 0
        self.observers = Observers(registry if has_observers else Registry(), stop)
        # What each trick did last, or None if it has not acted yet.
        self.last_activity = {
            trick.name: trainer.earlier_activity.get(trick.name) for trick in trainer.tricks
        }
        self.saver = Saver(trainer, self.observers, folder)
        self.unread: list[tuple[int, Scalars]] = []  # steps whose losses were not read yet
        self.scalars: dict[str, float] = {}  # of the last step that was read
        self.z = randomness.latents(self.run.seed, 0, GRID_SIZE, self.run.latent_dim, "grid")
        self.started = time.perf_counter()

    def run_to_end(self) -> None:
        """Take all steps; observers get `run_finished` also if a step raises."""
        ended_by: BaseException | None = None
        try:
            with guard_parts(self.trainer, self.registry):
                self._take_steps()
        except BaseException as error:
            ended_by = error
            raise
        finally:
            self._finish(ended_by)

    def _finish(self, ended_by: BaseException | None) -> None:
        """Tell observers how the run ended; if all was saved, check that it still is there."""
        state = "failed" if ended_by else "finished"
        if isinstance(ended_by, RunStopped | KeyboardInterrupt):
            state = "stopped"
        outcome = {
            "state": state,
            "step": self.gan.step,
            "message": error_text(ended_by) if ended_by else "",
            "seconds": time.perf_counter() - self.started,
            "tricks": self.last_activity,
        }
        self.observers.notify("run_finished", run=self.run, outcome=outcome)
        if ended_by is None or isinstance(ended_by, RunStopped):
            self.saver.save_again_if_deleted(self.run, self.last_activity)

    def _notify(self, hook: str, **arguments: Any) -> None:
        """Call an observer hook, whose observers may write into the run's folder."""
        self.folder.make_again(self.run)
        self.observers.notify(hook, run=self.run, **arguments)

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
                self._save(done, is_final=is_last or bool(signal))
            if signal and not is_last:
                raise RunStopped(self._stop_message(done), 128 + signal)

    def _stop_message(self, step: int) -> str:
        folder = str(self.run.folder)
        message = f"stopped at step {step} of {self.run.steps}; a checkpoint was saved in {folder}"
        if not self.is_in_python:  # the command line prints how to resume
            return message
        return f"{message}; to go on: gankit.train(gankit.load_run({folder!r}), resume=True)"

    def _begin(self) -> None:
        self._notify("run_started", gan=self.gan, registry=self.registry)
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
            written = update_run(run)
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
        self.folder.remember(run, written)
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
        if not self.unread:
            return
        read = [(step, {k: float(v) for k, v in scalars.items()}) for step, scalars in self.unread]
        problem = self.gan.process_group.first_problem(explain_losses(read, self.gan))
        if problem:
            raise training_failed(self.run, problem)
        self.scalars = {k: v for k, v in read[-1][1].items() if k not in FIRST_SCORES}
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
            self._notify("step_done", step=step, scalars=scalars)
        self._plan_anew()

    def _draw_samples(self, step: int) -> None:
        with self.stopwatch.timing("draw"):
            images = self.gan.sample(self.z)
            self._notify("samples_drawn", step=step, images=images)

    def _save(self, step: int, is_final: bool) -> None:
        self._read_losses()  # so that no checkpoint is saved after a NaN
        with self.stopwatch.timing("save"):
            self.saver.save(self.run, step, self.last_activity, is_final)
