"""`gankit run --metric`: measure while a run trains. Imported only by runs that measure."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gankit.core.errors import GankitError
from gankit.core.files.retried_write import RetriedWrite
from gankit.core.printable import printable
from gankit.core.progress import no_progress
from gankit.data.prepare import prepare
from gankit.training.settings.python_words import in_caller_words
from gankit_metrics.evaluate import BuiltMetrics, build_metrics, measure_all
from gankit_metrics.measurement import DEFAULT_SAMPLES, Measurement, format_number
from gankit_metrics.metrics_file import add_metrics
from gankit_metrics.picture_sets import choose_picture_sets

log = logging.getLogger("gankit")

if TYPE_CHECKING:
    from gankit.core.control import Control
    from gankit.core.gan import Gan
    from gankit.core.parts.registry import Registry
    from gankit.core.run.settings import Run


class TrainingEvaluator:
    """Measures a run's metrics at intervals; features of real pictures are computed only once."""

    def __init__(self, run: Run, gan: Gan, registry: Registry) -> None:
        self.run = run
        self.gan = gan
        self.registry = registry
        self.total_seconds = 0.0
        self.unwritten: list[Measurement] = []
        self.writes = RetriedWrite(run.folder / "metrics.json", "its rows are written later")
        prepared = prepare(run, registry)
        self.sets = choose_picture_sets(prepared, DEFAULT_SAMPLES, run.data_seed)
        self.metrics = self._build_possible()
        _warn_if_patience_is_idle(run)

    def _build_possible(self) -> BuiltMetrics:
        """The run's metrics, without those that cannot measure it, which a warning names."""
        built: BuiltMetrics = []
        for text in self.run.metrics:
            try:
                built += build_metrics([text], self.run, self.registry, self.sets)
            except GankitError as error:
                is_best = text == self.run.keep_best
                more = ", and keeps no checkpoint as the best" if is_best else ""
                log.warning("%s; the run goes on without it%s", error, more)
        return built

    def measure_if_due(self, step: int, control: Control) -> None:
        """Measure at the first logged step of each interval, and at the end of the run."""
        if not self.metrics or not _is_due(self.run, step):
            return
        started = time.perf_counter()
        has_classes = bool(self.run.class_names)
        self.sets.generate(self.gan.sample, self.run.latent_dim, has_classes=has_classes)
        folder = Path(self.run.out)
        measurements = measure_all(
            self.metrics, self.sets, self.registry, folder, step, no_progress
        )
        self.unwritten += measurements
        self.write_rows()
        seconds = time.perf_counter() - started
        self.total_seconds += seconds
        numbers = ", ".join(map(format_measurement, measurements))
        times = f"measured in {seconds:.1f} s, {self.total_seconds:.1f} s so far"
        verdict = control.measured(run=self.run, step=step, measurements=measurements)
        if verdict:
            numbers += f"; {verdict}"
        if not control.is_quiet:
            print(printable(f"step {step}: {numbers}; {times}"), flush=True)  # above the live view

    def write_rows(self) -> None:
        """Add the rows that are not yet in metrics.json; if it cannot be written, they are kept."""
        if not self.unwritten:
            return
        with self.writes.attempt():
            add_metrics(self.run.folder, self.unwritten)
            self.unwritten = []


def _interval(run: Run, planned_steps: int) -> int:
    """The steps from one measurement to the next, while the run is planned to have this length."""
    return run.measure_every or max(1, planned_steps // 5)


def _is_due(run: Run, step: int) -> bool:
    """Whether a logged step is the first of its interval, or the last one as it was planned then.

    It follows from the settings and the step alone, so that a repeated run measures where the run
    did, although its length had changed meanwhile.
    """
    planned_steps = run.planned_steps(step - 1)
    interval = _interval(run, planned_steps)
    logged_before = (step - 1) // run.log_every * run.log_every
    return step == planned_steps or step // interval > logged_before // interval


def _warn_if_patience_is_idle(run: Run) -> None:
    """Warn if a run ends before --patience can end it: the first measurement is always a gain."""
    interval = _interval(run, run.steps)
    count = (run.steps - 1) // max(interval, run.log_every)  # before the last step
    if run.patience and count <= run.patience:
        times = "once" if count == 1 else f"{count} times"
        what = f"--patience {run.patience} cannot end this run"
        why = f"it measures {times} before its last step"
        # Only logged steps are measured.
        option = "--measure-every" if interval > run.log_every else "--log-every"
        cure = f"give a smaller {option}, or a smaller N"
        log.warning("%s", in_caller_words(f"{what}, as {why}: {cure}"))


def format_measurement(measurement: Measurement) -> str:
    """`swd 24.1 (22.9 to 25.4, floor 18.3)`."""
    value = format_number(measurement.value)
    low = format_number(measurement.low)
    high = format_number(measurement.high)
    floor = format_number(measurement.floor)
    return f"{measurement.metric} {value} ({low} to {high}, floor {floor})"
