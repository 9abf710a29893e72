"""Metrics of picture quality, each with an interval, a floor, and notes on how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gankit.core.parts.hookspecs import hookimpl
from gankit.core.parts.specs import MetricSpec

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands
    from gankit.core.control import Control
    from gankit.core.gan import Gan
    from gankit.core.parts.registry import Registry
    from gankit.core.run.settings import Run
    from gankit_metrics.during_training import TrainingEvaluator

METRICS = (
    MetricSpec(
        name="coverage",
        summary="what share of the real pictures has a generated picture close to it?",
        source="Naeem et al. 2020, arXiv 2002.09797",
        build="gankit_metrics.neighbours:Coverage",
    ),
    MetricSpec(
        name="density",
        summary="how many real pictures is a generated one close to?",
        source="Naeem et al. 2020, arXiv 2002.09797",
        build="gankit_metrics.neighbours:Density",
    ),
    MetricSpec(
        name="diversity",
        summary="are generated pictures as different from each other as real ones?",
        source="mean pairwise distance of features, divided by that of real pictures",
        build="gankit_metrics.diversity:Diversity",
    ),
    MetricSpec(
        name="fid",
        summary="distance of two normal distributions fitted to features; biased for small sets",
        source="Heusel et al. 2017, arXiv 1706.08500",
        build="gankit_metrics.fid:FID",
    ),
    MetricSpec(
        name="kid",
        summary="do network features of both sets come from one distribution? then 0, at any size",
        source="Binkowski et al. 2018, arXiv 1801.01401",
        build="gankit_metrics.kid:KID",
    ),
    MetricSpec(
        name="memorising",
        summary="are generated pictures closer to training pictures than new real ones are?",
        source="Meehan et al. 2020, arXiv 2004.05675",
        build="gankit_metrics.memorising:Memorising",
    ),
    MetricSpec(
        name="precision",
        summary="what share of the generated pictures is close to real ones?",
        source="Kynkaanniemi et al. 2019, arXiv 1904.06991",
        build="gankit_metrics.neighbours:Precision",
    ),
    MetricSpec(
        name="recall",
        summary="what share of the real pictures is close to generated ones?",
        source="Kynkaanniemi et al. 2019, arXiv 1904.06991",
        build="gankit_metrics.neighbours:Recall",
    ),
    MetricSpec(
        name="swd",
        summary="do small patches look alike at each scale? needs no network",
        source="Karras et al. 2018, arXiv 1710.10196",
        build="gankit_metrics.swd:SWD",
    ),
)


class Metrics:
    """The plugin: its metrics, `gankit evaluate`, and measuring during a run."""

    def __init__(self) -> None:
        self.evaluator: TrainingEvaluator | None = None

    @hookimpl
    def register_metrics(self, register: Callable[[MetricSpec], None]) -> None:
        for spec in METRICS:
            register(spec)

    @hookimpl
    def register_commands(self, cli: PluginCommands) -> None:
        summary = "Measure how good a run's pictures are."
        cli.later("evaluate", "gankit_metrics.command:evaluate", summary)

    @hookimpl
    def run_started(self, run: Run, gan: Gan, registry: Registry) -> None:
        self.evaluator = None
        if run.metrics:
            from gankit_metrics.during_training import TrainingEvaluator  # imports torch

            self.evaluator = TrainingEvaluator(run, gan, registry)
        if gan.step and (run.folder / "metrics.json").exists():
            from gankit_metrics.metrics_file import forget_metrics_after

            forget_metrics_after(run.folder, gan.step)

    @hookimpl
    def step_done(self, run: Run, step: int, control: Control) -> None:
        if self.evaluator:
            self.evaluator.run = run  # its length may have changed
            self.evaluator.measure_if_due(step, control)

    @hookimpl
    def run_finished(self) -> None:
        if self.evaluator:
            self.evaluator.write_rows()
