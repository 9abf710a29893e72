"""Checks that a run's metrics can measure its pictures, before the first step."""

import torch

from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run

TRIED = 4  # real pictures that a metric is tried with


def check_metrics(run: Run, registry: Registry, prepared: PreparedDataset) -> None:
    """GankitError if one of the run's metrics does not measure these pictures."""
    pictures = prepared.pixels[prepared.train[:TRIED]]
    for choice in run.metrics:
        metric = registry.make("metric", choice)
        with registry.attribute_errors_to("metric", choice), torch.random.fork_rng(devices=[]):
            require_dataset(metric, run)
            metric.rows(pictures.copy())


def require_dataset(metric: Metric, run: Run) -> None:
    """ValueError if the metric was not made for the run's data set."""
    if metric.datasets and run.dataset.name not in metric.datasets:
        names = ", ".join(metric.datasets)
        raise ValueError(f"measures only {names}; the run's data set is {run.dataset}")
