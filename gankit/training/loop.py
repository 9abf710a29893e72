"""The training loop: logs, samples pictures, saves checkpoints and stops."""

from typing import Any

from gankit.core.errors import EndedEarly, RunFailed, RunStopped, error_text
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress, no_progress
from gankit.core.stop import Stop
from gankit.training import assemble
from gankit.training.budget.replan import Budget, Stopwatch
from gankit.training.checkpoints.saver import Saver
from gankit.training.guard import guard_parts
from gankit.training.observers import Observers
from gankit.training.pace import Pace
from gankit.training.run_folder.folder import RunFolder
from gankit.training.run_folder.grid_latents import grid_latents
from gankit.training.settings.python_words import resume_call
from gankit.training.step_log import StepLog


class TrainingLoop:
    """Trains a run from its trainer's current step to the last step, of the run or of a stage."""

    def __init__(
        self,
        trainer: assemble.Trainer,
        registry: Registry,
        folder: RunFolder,
        observers: Observers,
        stop: Stop,
        handles_interrupt: bool = False,  # itself; else its caller does, such as a race
    ) -> None:
        self.trainer = trainer
        self.run = trainer.run
        self.gan = trainer.gan
        self.registry = registry
        self.folder = folder
        self.observers = observers
        self.stop = stop
        self.until: int | None = None  # the step with which the next stage begins
        self.budget: Budget | None = None
        self.progress: Progress = no_progress
        self.handles_interrupt = handles_interrupt
        self.ended_because = ""  # the reason, if an observer or `stop` has ended the run
        self.stopwatch = Stopwatch()
        self.pace = Pace(trainer.run)
        self.step_log = StepLog(trainer)
        self.saver = Saver(trainer, self.observers, folder)
        self.best = trainer.best
        self.observers.best = trainer.best
        self.z = grid_latents(self.run, self.gan.process_group)

    @property
    def is_stage_over(self) -> bool:
        """Whether the run goes on with its next stage."""
        return self.gan.step == self.until

    def run_to_end(
        self, budget: Budget | None, progress: Progress, until: int | None = None
    ) -> None:
        """Take all steps, or those until the next stage.

        Errors that end the run early know its folder and the steps done.
        """
        self.until = until
        self.best.may_end = until is None
        self.budget = budget
        self.progress = progress
        try:
            self._run_to_end()
        except EndedEarly as error:
            error.folder = self.run.folder
            error.step = self.gan.step
            raise

    def _run_to_end(self) -> None:
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
        if ended_by is None and self.is_stage_over:
            state = "stage"
        elif self.ended_because or isinstance(ended_by, RunStopped | KeyboardInterrupt):
            state = "stopped"
        last_activity = self.step_log.last_activity
        outcome = {
            "state": state,
            "step": self.gan.step,
            "message": error_text(ended_by) if ended_by else self.ended_because,
            "reason": self.ended_because,
            "seconds": self.step_log.seconds,
            "tricks": last_activity,
            "best": self.best.score if self.run.keep_best else None,
        }
        self.observers.notify("run_finished", run=self.run, outcome=outcome)
        if ended_by is None or isinstance(ended_by, RunStopped):
            self.saver.save_again_if_deleted(self.run, last_activity)

    def _notify(self, hook: str, **arguments: Any) -> None:
        """Call an observer hook, whose observers may write into the run's folder."""
        self.folder.make_again(self.run)
        self.observers.notify(hook, run=self.run, **arguments)

    def _take_steps(self) -> None:
        self._begin()
        while self.gan.step < (self.until or self.run.steps) and not self.ended_because:
            run = self.run
            done = self._take_step()
            is_last = done == run.planned_steps(done - 1)  # perhaps it was made longer later
            is_logged = done % run.log_every == 0 or is_last
            if is_logged:
                self._log(done)
            if done % run.draw_every == 0 or is_last:
                self._draw_samples(done)
            signal, reason = (0, "") if done == run.steps else self._end_of_run(is_logged)
            is_final = done in (self.until, run.steps) or bool(signal or reason)
            is_best = is_logged and self._is_best()
            if done % run.save_every == 0 or is_best or is_final:
                self._save(done, is_final)
            if signal:
                raise RunStopped(self._saved_message("stopped"), 128 + signal)
            if self.stop.error:
                raise RunFailed(self._saved_message(f"{reason};"), 1) from self.stop.error
            self.ended_because = reason

    def _saved_message(self, what: str) -> str:
        run = self.run
        step = f"{what} at step {self.gan.step} of {run.steps}"
        message = f"{step}; a checkpoint was saved in {run.folder}"
        if not self.handles_interrupt:  # then the caller says how to go on
            return message
        return f"{message}; to go on: {resume_call(run.folder)}"

    def _begin(self) -> None:
        trainer = self.trainer
        self._notify("run_started", gan=self.gan, registry=self.registry, prepared=trainer.prepared)
        if self.gan.step == 0:
            self._draw_samples(0)
        if self.budget:
            self.budget.begin(self.stopwatch)

    def _take_step(self) -> int:
        """Take the next step; returns the number of steps that are done."""
        step = self.gan.step
        done = step + 1
        watchers = self.observers.watchers_of(done)
        record = None
        with self.pace.timing():
            if watchers:
                keeps_updates = any(watcher.keeps_updates for watcher in watchers)
                scalars, record = self.trainer.recorded_step(step, keeps_updates=keeps_updates)
            else:
                scalars = self.trainer.step(step)
        self.gan.step = done
        self.step_log.add(done, scalars)
        if record:
            self.observers.step_taken(done, run=self.run, gan=self.gan, record=record)
        self.progress(done, self.run.steps)
        return done

    def _plan_anew(self) -> None:
        """Change the length of the run if its budget demands it."""
        if self.budget:
            self.run = self.budget.plan_anew(self.run, self.gan.step, self.stopwatch, self.folder)
            self.trainer.run = self.run

    def _end_of_run(self, is_logged: bool) -> tuple[int, str]:
        """The signal's number if one should end the run, else 0; and the reason of an observer.

        Several processes agree on both, but only at logged steps, because that takes an all-reduce.
        """
        group = self.gan.process_group
        if group.world_size > 1 and not is_logged:
            return 0, ""
        signal = self.stop()
        decision: tuple[int, str] = group.broadcast((signal, self.stop.reason))
        return decision

    def _is_best(self) -> bool:
        """Whether the step was measured and is the best so far; only rank 0 measures."""
        if not self.run.keep_best:
            return False
        is_best: bool = self.gan.process_group.broadcast(self.best.is_new)
        return is_best

    def _log(self, step: int) -> None:
        with self.pace.timing():  # on a GPU, this waits for the steps
            self.step_log.read_losses(self.run)
        self.pace.check(step, self.gan.phase)
        row = self.step_log.read_row()
        with self.stopwatch.timing("log"):
            for is_bundled in (False, True):
                self.folder.make_again(self.run)
                self.observers.step_done(row, is_bundled, run=self.run, step=step)
        self._plan_anew()

    def _draw_samples(self, step: int) -> None:
        with self.stopwatch.timing("draw"):
            images = self.gan.sample(self.z)  # with class labels: a row for each class
            self._notify("samples_drawn", step=step, images=images)

    def _save(self, step: int, is_final: bool) -> None:
        self.step_log.read_losses(self.run)  # so that no checkpoint is saved after a NaN
        with self.stopwatch.timing("save"):
            self.saver.save(self.run, step, self.step_log.last_activity, is_final)
