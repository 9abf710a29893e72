"""Measures of quality, each with its interval, its floor and what to know before trusting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gankit.core.hookspecs import hookimpl
from gankit.core.specs import MetricSpec

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands
    from gankit.core.gan import Gan
    from gankit.core.registry import Registry
    from gankit.core.settings import Run
    from gankit_metrics.watch import Watch

METRICS = (
    MetricSpec(
        name="coverage",
        summary="which share of the real pictures has a generated one close by?",
        source="Naeem et al. 2020, arXiv 2002.09797",
        build="gankit_metrics.neighbours:Coverage",
    ),
    MetricSpec(
        name="density",
        summary="among how many real pictures does a generated one lie?",
        source="Naeem et al. 2020, arXiv 2002.09797",
        build="gankit_metrics.neighbours:Density",
    ),
    MetricSpec(
        name="diversity",
        summary="are generated pictures as different from each other as real ones?",
        source="the mean pairwise distance of features, beside that of real pictures",
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
        summary="do network features of both sets have one source? 0 if they do, at any size",
        source="Binkowski et al. 2018, arXiv 1801.01401",
        build="gankit_metrics.kid:KID",
    ),
    MetricSpec(
        name="memorising",
        summary="are generated pictures closer to training pictures than fresh ones are?",
        source="Meehan et al. 2020, arXiv 2004.05675",
        build="gankit_metrics.memorising:Memorising",
    ),
    MetricSpec(
        name="precision",
        summary="which share of the generated pictures lies among the real ones?",
        source="Kynkaanniemi et al. 2019, arXiv 1904.06991",
        build="gankit_metrics.neighbours:Precision",
    ),
    MetricSpec(
        name="recall",
        summary="which share of the real pictures lies among the generated ones?",
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
    """The metrics, the command that measures with them, and the observer that does so in a run."""

    def __init__(self) -> None:
        self.watch: Watch | None = None

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
        self.watch = None
        if run.metrics:
            from gankit_metrics.watch import Watch  # a run that measures nothing imports nothing

            self.watch = Watch(run, gan, registry)

    @hookimpl
    def step_done(self, run: Run, step: int) -> None:
        if self.watch:
            self.watch.look(step)
