"""How many steps fit into a budget, from the measured time of a training step."""

from __future__ import annotations

import dataclasses
import time

from gankit.compute.compiling import compile_networks
from gankit.core.clock import MIN_SECONDS
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress
from gankit.core.run.settings import Run
from gankit.data.prepare import prepare
from gankit.training import assemble
from gankit.training.budget.phase_costs import PhaseCosts, time_phases
from gankit.training.budget.replan import Budget
from gankit.training.out_of_memory import explain_out_of_memory
from gankit.training.settings.combine import budget_seconds
from gankit.training.weights.begin_weights import base_of

MAX_TIMED_STEPS = 2000  # enough of very short ones; also ends if the clock stands still


def plan_length(run: Run, registry: Registry, progress: Progress) -> tuple[Run, Budget | None]:
    """Plan the length of a new run that carries a budget; another run is returned unchanged."""
    text = run.in_python.budget
    return fit_to_budget(run, text, registry, progress) if text else (run, None)


def fit_to_budget(
    run: Run, text: str, registry: Registry, progress: Progress
) -> tuple[Run, Budget]:
    """The run with as many steps as fit into a time such as 90s, 10m or 2h on this machine.

    The budget counts from when the pictures are prepared. GankitError if the text is not a time.
    """
    seconds = budget_seconds(text)
    if run.stages:
        what = "--budget plans how long a run is, but the stages of this one begin at given steps"
        raise GankitError(f"{what}: give --steps N")
    prepared = prepare(run, registry, progress)
    budget = Budget(text.strip(), seconds)
    resolved = assemble.resolve_auto(run, prepared)
    budget.costs, measured_run = measure_costs(resolved, registry, prepared)
    step_seconds = budget.costs.mean()
    length = f"{max(1, round(budget.seconds / step_seconds))} steps"
    planned = dataclasses.replace(
        run, length=length, compile=measured_run.compile, threads=resolved.threads
    )
    return planned, budget


def measure_step_time(run: Run, registry: Registry, prepared: PreparedDataset) -> tuple[float, Run]:
    """Seconds per training step on average, and the run with `compile` resolved to yes or no."""
    costs, run = measure_costs(run, registry, prepared)
    return costs.mean(), run


def measure_costs(
    run: Run, registry: Registry, prepared: PreparedDataset, min_seconds: float = 1.5
) -> tuple[PhaseCosts, Run]:
    """Seconds per training step in each phase, and the run with `compile` resolved to yes or no.

    The steps are taken by a trainer of its own, so they do not change the run. OutOfMemory if they
    do not fit.
    """
    with explain_out_of_memory(run, registry):
        return _measure_costs(run, registry, prepared, min_seconds)


def _measure_costs(
    run: Run, registry: Registry, prepared: PreparedDataset, min_seconds: float
) -> tuple[PhaseCosts, Run]:
    base = base_of(run, resume=True)  # networks that have grown take no small steps
    trainer = assemble.assemble(run, registry, prepared, base=base)
    run = compile_networks(run, trainer.gan)
    trainer.run = run
    if trainer.gan.phases:
        return time_phases(trainer, min_seconds), run
    for step in range(3):
        trainer.step(step)
    started = time.perf_counter()
    step = 3
    while step < 6 or (time.perf_counter() - started < min_seconds and step < MAX_TIMED_STEPS):
        float(trainer.step(step)["g_loss"])  # reading the loss waits for the device
        step += 1
    seconds = max(MIN_SECONDS, time.perf_counter() - started)
    return PhaseCosts(seconds=(seconds / (step - 3),)), run
