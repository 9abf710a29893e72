"""Measures while a run is trained; imported by a run that asked for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gankit.data.prepare import prepare
from gankit_metrics import evaluate, record
from gankit_metrics.command import number
from gankit_metrics.measured import Measured
from gankit_metrics.sets import choose

if TYPE_CHECKING:
    from gankit.core.gan import Gan
    from gankit.core.registry import Registry
    from gankit.core.settings import Run

SAMPLES = 1000


class Watch:
    """What a run's measurements share: the real pictures and their features."""

    def __init__(self, run: Run, gan: Gan, registry: Registry) -> None:
        self.run, self.gan, self.registry, self.spent = run, gan, registry, 0.0
        self.every = run.measure_every or max(1, run.steps // 5)
        self.measured_at = gan.step
        prepared = prepare(run, registry, lambda done, total: None)
        self.sets = choose(prepared, SAMPLES, run.data_seed)
        self.chosen = evaluate.build(run.metrics, run, registry, self.sets)

    def look(self, step: int) -> None:
        """Measure, if it is time: at the first logged step of each stretch, and at the end."""
        if step // self.every == self.measured_at // self.every and step < self.run.steps:
            return
        self.measured_at = step
        started, folder = time.perf_counter(), Path(self.run.out)
        self.sets.draw(self.gan.sample, self.run.latent_dim)
        how = (self.registry, folder, step, lambda done, total: None)
        found = evaluate.measured(self.chosen, self.sets, *how)
        record.write(folder, found)
        seconds = time.perf_counter() - started
        self.spent += seconds
        click.echo(f"step {step}: {', '.join(map(told, found))}; ", nl=False)
        click.echo(f"measured in {seconds:.1f} s, {self.spent:.1f} s so far")


def told(row: Measured) -> str:
    """One number in a line of the run's output."""
    between = f"{number(row.low)} to {number(row.high)}, floor {number(row.floor)}"
    return f"{row.metric} {number(row.value)} ({between})"
