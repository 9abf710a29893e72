"""Measures of quality, each with its interval, its floor and what to know before trusting it."""

from gankit import MetricSpec, hookimpl

METRICS = (
    MetricSpec(
        name="kid",
        summary="do network features of both sets have one source? 0 if they do, at any size",
        source="Binkowski et al. 2018, arXiv 1801.01401",
        build="gankit_metrics.kid:KID",
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

    def __init__(self):
        self.watch = None

    @hookimpl
    def register_metrics(self, register):
        for spec in METRICS:
            register(spec)

    @hookimpl
    def register_commands(self, cli):
        summary = "Measure how good a run's pictures are."
        cli.later("evaluate", "gankit_metrics.command:evaluate", summary)

    @hookimpl
    def run_started(self, run, gan, registry):
        self.watch = None
        if run.metrics:
            from gankit_metrics.watch import Watch  # a run that measures nothing imports nothing

            self.watch = Watch(run, gan, registry)

    @hookimpl
    def step_done(self, run, step):
        if self.watch:
            self.watch.look(step)
