"""RaceRunner: trains and measures each run of a plan, and reports."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from gankit_metrics.evaluate import evaluate

from gankit.cli.terminal.encoding import replace_unencodable
from gankit.cli.terminal.live_terminal import shows_live_view
from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress, no_progress, only_preparing
from gankit.core.run.stage import without
from gankit.core.shell import quote_word
from gankit.training.run_folder.run_file import recorded_run
from gankit.training.train import train
from gankit_race.differences import warn_of_bases
from gankit_race.find_race import RACE_FILE
from gankit_race.pictures import check_pictures
from gankit_race.plain_view import PlainView
from gankit_race.plan import Plan
from gankit_race.report.publish import write_report
from gankit_race.report.report import Report
from gankit_race.results import (
    Row,
    measurement_as_dict,
    read_results,
    row_of_run,
    write_results,
)
from gankit_race.variants import NOT_COMPARED, Variant

log = logging.getLogger("gankit")
Stop = Callable[[], int]  # called after each step: 0 to go on, or the number of a signal


class RaceRunner:
    """Trains and measures each run of a plan once, even if the race is stopped and resumed."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        registry: Registry,
        view: PlainView | None = None,
        stop: Stop = lambda: 0,
        progress: Progress = no_progress,
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.registry = registry
        self.view = view or _default_view()
        self.stop = stop
        self.progress = progress
        self.rows: dict[tuple[str, int], Row] = {}
        folders = {
            (variant.label, seed): variant.run_folder(seed) for variant, seed in plan.all_runs()
        }
        for row in read_results(folder):
            key = (row.variant, row.seed)
            if key in folders:  # whose folder is that of the plan, whatever the results say
                self.rows[key] = dataclasses.replace(row, folder=folders[key])
        self.threads = torch.get_num_threads()

    def run_all(self) -> Report:
        """Train and measure what is missing; write the results, the page and the picture."""
        replace_unencodable()  # also when your own program starts the race
        check_pictures(self.plan, self.folder, self.registry, self.progress)
        finished = [row for row in self._ordered_rows() if self._is_finished(row)]
        self.view.race_begins(self.plan, finished, self.folder)
        try:
            for variant, seed in self.plan.all_runs():
                if not self._is_finished(self.rows.get((variant.label, seed))):
                    self._train_and_measure(variant, seed)
        finally:
            torch.set_num_threads(self.threads)
            self.view.race_ends()
        return self.report()

    def report(self) -> Report:
        """Write the report of all runs that are trained, and return it."""
        variants = [(variant.label, variant.run) for variant in self.plan.variants]
        title = f"{len(variants)} variants, {len(self.plan.seeds)} seeds"
        if self.plan.budget:
            title += f", {self.plan.budget} each"
        report = Report(
            title=title,
            command=self.plan.command,
            variants=variants,
            rows=self._ordered_rows(),
            seeds=len(self.plan.seeds),
            folder=self.folder,
            warnings=warn_of_bases(variants),
        )
        write_report(report)
        return report

    def _ordered_rows(self) -> list[Row]:
        """The rows in the plan's order."""
        keys = [(variant.label, seed) for variant, seed in self.plan.all_runs()]
        return [self.rows[key] for key in keys if key in self.rows]

    def _is_finished(self, row: Row | None) -> bool:
        """Whether the run has failed, or is trained and measured with all metrics."""
        return row is not None and bool(row.failed or set(self.plan.metrics) <= set(row.measured))

    def _train_and_measure(self, variant: Variant, seed: int) -> None:
        key = (variant.label, seed)
        self.view.run_begins(variant, seed)
        if key not in self.rows:
            self.rows[key] = self._train(variant, seed)
            self._write_results()
        row = self.rows[key]
        if not self._is_finished(row):
            self._measure(row, variant.run.data)
            self._write_results()
        self.view.run_ends(row)
        signal = self.stop()
        if signal:
            raise self._stopped(f"stopped after {row.variant}, seed {seed}", signal)

    def _write_results(self) -> None:
        """Write the rows; also the plan, without which a race cannot be resumed, if it is gone."""
        file = self.folder / RACE_FILE
        if not file.exists():
            self.plan.write(self.folder)
            log.warning(
                "%s was deleted or moved during the race, so gankit wrote it again; runs that are "
                "gone stay in the tables",
                file,
            )
        write_results(self.folder, self._ordered_rows())

    def _train(self, variant: Variant, seed: int) -> Row:
        folder = variant.run_folder(seed)
        run = dataclasses.replace(variant.run, seed=seed, out=str(self.folder / folder))
        resume = (run.folder / "run.json").exists()
        if resume and without(recorded_run(run.folder).stages, NOT_COMPARED):
            what = f"settings of {run.folder} were changed when it was resumed"
            raise GankitError(f"{what}, so it is not of this race any more: delete it")
        failed = ""
        try:
            registry = replace_console(self.registry, self.view)
            preparing = only_preparing(self.progress)
            train(run, registry, resume=resume, progress=preparing, stop=self.stop)
        except RunStopped as error:
            signal = error.exit_code - 128
            raise self._stopped(f"{variant.label}, seed {seed}: {error}", signal) from error
        except RunFailed as error:
            if error.__cause__:  # such as a full disk: not the fault of the variant
                raise RunFailed(f"{error}; {self._resume_hint()}", 1) from error
            failed = str(error)
        return row_of_run(variant.label, run, folder, failed)

    def _measure(self, row: Row, data: tuple[str, ...]) -> None:
        missing = tuple(name for name in self.plan.metrics if name not in row.measured)
        torch.set_num_threads(self.threads)  # all runs are measured with the same number

        def progress(done: int, total: int) -> None:
            signal = self.stop()
            if signal:
                what = f"stopped while measuring {row.variant}, seed {row.seed}"
                raise self._stopped(what, signal)

        self.view.measuring_begins()
        folder = self.folder / row.folder
        measurements = evaluate(
            folder,
            metrics=missing,
            samples=self.plan.samples,
            registry=self.registry,
            progress=progress,
            data=data,
        )
        for measurement in measurements:
            row.measured[measurement.metric] = measurement_as_dict(measurement)
        unmeasured = sorted(set(missing) - set(row.measured))
        if unmeasured:
            raise GankitError(f"metric {unmeasured[0]!r} has no result for {folder}")
        self.view.measuring_ends()

    def _stopped(self, what: str, signal: int) -> RunStopped:
        return RunStopped(f"{what}; {self._resume_hint()}", 128 + signal)

    def _resume_hint(self) -> str:
        return f"to continue: gankit race --resume {quote_word(str(self.folder))}"


def replace_console(registry: Registry, view: Any) -> Registry:
    """A copy of the registry with the race's view in place of the view of a single run."""
    copy = Registry()
    copy.plugins = [plugin for plugin in registry.plugins if plugin.name != "console"]
    replaced = [plugin for plugin in registry.plugins if plugin.name == "console"]
    copy.load("race-view", lambda: view, replaced[0].distribution if replaced else None)
    return copy


def _default_view() -> PlainView:
    """A live view in a terminal that can show one, plain lines elsewhere."""
    if shows_live_view(sys.stdout):
        from gankit_race.live_view import LiveView

        return LiveView()
    return PlainView()
