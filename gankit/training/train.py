"""Train a run: prepare its pictures and networks, and take the steps of each of its stages."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

from gankit.compute.threads import restore_threads
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.process_group import ProcessGroup
from gankit.core.progress import PREPARING, TRAINING, Progress, no_progress
from gankit.core.run.all_stages import next_begin
from gankit.core.run.settings import Run
from gankit.core.stop import Stop, stop_on_interrupt
from gankit.distributed.processes import process_group
from gankit.training import assemble, stages
from gankit.training.budget.plan_budget import plan_length
from gankit.training.budget.replan import Budget
from gankit.training.callbacks import GuardedProgress, Program, check_callbacks
from gankit.training.checks.metrics import check_metrics
from gankit.training.loop import TrainingLoop
from gankit.training.observers import Observers, observe_with
from gankit.training.out_of_memory import explain_out_of_memory
from gankit.training.run_folder.folder import RunFolder
from gankit.training.run_folder.links import check_run_folder
from gankit.training.run_folder.run_pictures import prepare_again
from gankit.training.settings.python_words import called_from_python, called_in_python
from gankit.training.settings.resumed_run import changed_settings, run_to_train
from gankit.training.start import (
    begin_folder,
    check_agreement,
    make_trainer,
    reopen_folder,
    resolve_alike,
)
from gankit.training.trial.trial_step import try_external_parts
from gankit.training.weights.begin_weights import base_of


@called_in_python
def train(
    run: Run | str | Path,
    registry: Registry | None = None,
    *,
    resume: bool = False,
    observers: Iterable[object] | object = (),
    progress: Progress = no_progress,
    stop: Stop | Callable[[], object] | None = None,
    budget: Budget | None = None,
    quiet: bool = False,
) -> Path:
    """Train a run to its end; returns its folder. With `resume`, start at its newest checkpoint.

    `run`: a Run; to resume, also the folder of a run. Settings that differ from those of the folder
    begin a new stage then; some cannot change. `observers`: objects (or one) whose methods have the
    names of observer hooks: `step_done`, ... `progress(done, total)`: called while pictures are
    prepared, and after each step; a third parameter `stage` gets "preparing" or "training". If it
    fails, gankit warns and ignores it from then on. `stop()`: called after each step, when its row
    is in log.csv; any true value, or a text with the reason, saves a checkpoint and ends the run.
    An interrupt does so too (Ctrl-C, or a notebook's stop button), in the main thread and if no
    other handler is set; a second one ends it at once.
    `budget`: may change the number of steps during the run. `quiet`: print nothing but warnings.

    Raises RunStopped after a signal (a checkpoint was saved), KeyboardInterrupt before the first
    step, RunFailed if training failed, memory ran out or `stop` raised, and GankitError if the run
    could not start.
    """
    run = run_to_train(run, registry, resume=resume)
    check_callbacks(progress, stop)
    check_run_folder(run)
    stop = Stop.of(stop)
    program = Program(observe_with(observers), GuardedProgress(progress, stop), stop, quiet)
    registry = registry_of(run, registry)
    with explain_out_of_memory(run, registry):  # no frame in here holds a tensor
        return _train(run, registry, program, budget, resume=resume)


def _train(
    run: Run, registry: Registry, program: Program, budget: Budget | None, *, resume: bool
) -> Path:
    """Train a run to its end, as `train` does; returns its folder."""
    stop = program.stop
    with (
        stop_on_interrupt(stop) as handles_interrupt,
        process_group(stop) as group,
        restore_threads(restore=not run.threads),
        RunFolder() as folder,
    ):
        observing = Observers.none(stop)
        if group.rank == 0:
            observing = Observers(registry, stop, program.observers, program.is_quiet)
        preparing = stop.raise_on_stop(program.progress.in_stage(PREPARING))
        if not resume and called_from_python():  # the command line has tried them already
            try_external_parts(run, registry, preparing)
        if resume and {"loss", "tricks"} & set(changed_settings(run)):
            try_external_parts(run, registry, preparing)
        if not (resume or budget):
            run, budget = plan_length(run, registry, preparing)
        run, trainer = _begin(run, registry, folder, group, preparing, resume=resume)
        while True:  # once for each stage
            loop = TrainingLoop(trainer, registry, folder, observing, stop, handles_interrupt)
            until = next_begin(run, trainer.gan.step)
            loop.run_to_end(budget, program.progress.in_stage(TRAINING), until)
            if not loop.is_stage_over or stop.is_polled:
                return run.folder
            stop.reason = ""  # an observer had ended the run that is repeated here, too
            trainer.earlier_activity = loop.step_log.acted
            trainer = stages.trainer_of_stage(trainer, run, registry)


def _begin(
    run: Run,
    registry: Registry,
    folder: RunFolder,
    group: ProcessGroup,
    progress: Progress,
    *,
    resume: bool,
) -> stages.Training:
    """Prepare everything up to the first step, and claim the run's folder."""
    changed: list[str] = []
    if resume:
        reopen_folder(run, folder, registry, group)
        changed = changed_settings(run)
    base = base_of(run, resume=resume)
    prepared = prepare_again(run, registry, progress)
    run = resolve_alike(run, prepared, group)
    check_metrics(run, registry, prepared)
    if base:
        run = dataclasses.replace(run, init=str(base.run))

    def make(stage: Run) -> assemble.Trainer:
        return make_trainer(stage, registry, prepared, group, base)

    training = (
        stages.resume(run, changed, registry, make) if resume else stages.begin(run, registry, make)
    )
    check_agreement(training.trainer, group)
    run = begin_folder(training.run, training.trainer, folder, registry, is_new=not resume)
    training.trainer.run = run.at(training.trainer.gan.step)
    return stages.Training(run, training.trainer)
