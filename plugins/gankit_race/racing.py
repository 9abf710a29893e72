"""`gankit.race`: the runs of a plan, one after the other, and what came of them."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from gankit_metrics.evaluate import evaluate

from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.stop import Progress
from gankit.data.prepare import prepare
from gankit.training.compose import compose
from gankit.training.loop import train
from gankit_race.plan import LENGTH, Plan, choose_metrics, make_plan, new_folder, read_plan
from gankit_race.publish import show, write
from gankit_race.recipes import SEEDS
from gankit_race.report import Report
from gankit_race.results import Row, measured_as_dict, read_results, row_of, write_results
from gankit_race.vary import PICTURES, Variant, cross, read_fields
from gankit_race.view import PlainView

Stop = Callable[[], int]  # asked after each step: 0 to go on, or a signal's number


def race(
    vary: Mapping[str, Sequence[Any]] | None = None,
    *,
    seeds: int | None = None,
    budget: str = "",
    metrics: Sequence[str] = (),
    samples: int = 1000,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    registry: Registry | None = None,
    **settings: Any,
) -> Path:
    """Race variants of a run and print the tables; returns the folder with results and race.html.

    `race(vary={"tricks": ["none", "ema"]}, seeds=3, budget="5m", dataset="petals")`: the other
    settings are those of `gankit.compose`. `race(resume=folder)` goes on with one that stopped.
    """
    registry = registry or load_registry()
    if resume is not None:
        folder = Path(resume)
        plan = resumed(folder, seeds, metrics, registry)
    else:
        if not vary:
            raise GankitError("say what to vary: vary={'tricks': ['none', 'ema']}")
        variants = _variants(vary, {**settings, "length": LENGTH} if budget else settings, registry)
        seeds = SEEDS if seeds is None else seeds
        plan = make_plan(
            variants,
            seeds=seeds,
            budget=budget,
            registry=registry,
            progress=_silent,
            metrics=choose_metrics(metrics, registry),
            samples=samples,
            command=f"gankit.race({dict(vary)!r}, seeds={seeds}, budget={budget!r}, **{settings})",
        )
        folder = begin(plan, Path(out) if out else None, list(vary))
    show(Race(plan, folder, registry, PlainView()).run_all())
    return folder


def _variants(
    vary: Mapping[str, Sequence[Any]], settings: Mapping[str, Any], registry: Registry
) -> list[Variant]:
    def build(fields: list[tuple[str, Any]]) -> Run:
        return compose(registry, **{**settings, **dict(fields)})

    return cross(read_fields(vary), build)


def _silent(done: int, total: int) -> None:
    pass


def begin(plan: Plan, folder: Path | None, names: Sequence[str]) -> Path:
    """Write the plan into its folder; one that holds a race already is refused."""
    if folder is not None:
        refuse_taken(folder)
    folder = folder or new_folder(plan.variants, names)
    plan.write(folder)
    return folder


def refuse_taken(folder: Path) -> None:
    """An error if the folder holds a race or a run."""
    if (folder / "race.json").exists():
        resume = f"gankit race --resume {shlex.quote(str(folder))}"
        raise GankitError(f"{folder} already holds a race: {resume}, or choose another --out")
    if (folder / "run.json").exists():
        raise GankitError(f"{folder} holds a run, no race: choose another --out")


def resumed(folder: Path, seeds: int | None, metrics: Sequence[str], registry: Registry) -> Plan:
    """The plan of a race that is resumed, with more seeds or metrics if they are given."""
    plan = read_plan(folder)
    if seeds is not None and seeds < len(plan.seeds):
        raise GankitError(
            f"{folder} was planned with {len(plan.seeds)} seeds; --seeds can only add to them"
        )
    first = plan.seeds[0]
    numbers = tuple(range(first, first + max(seeds or 0, len(plan.seeds))))
    more = choose_metrics(metrics, registry) if metrics else ()
    names = tuple(dict.fromkeys((*plan.metrics, *more)))
    if names:
        choose_metrics(names, registry)  # the plugin that measured may be gone
    new = dataclasses.replace(plan, seeds=numbers, metrics=names)
    if new != plan:
        new.write(folder)
    return new


class Race:
    """A plan on its way: every run trained and measured once, whatever happens in between."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        registry: Registry,
        view: PlainView | None = None,
        stop: Stop = lambda: 0,
        progress: Progress = _silent,
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.registry = registry
        self.view = view or _view()
        self.stop = stop
        self.progress = progress
        self.rows = {(row.variant, row.seed): row for row in read_results(folder)}
        self.threads = torch.get_num_threads()

    def run_all(self) -> Report:
        """Train and measure what is missing; write the results, the page and the picture."""
        self._check_pictures()
        self.view.race_begins(self.plan, self._over(), self.folder)
        try:
            for variant, seed in self.plan.starts():
                if not self._is_over(self.rows.get((variant.label, seed))):
                    self._run(variant, seed)
        finally:
            torch.set_num_threads(self.threads)
            self.view.race_over()
        return self.report()

    def report(self) -> Report:
        """Tables, page and picture of what is there."""
        variants = [(variant.label, variant.run) for variant in self.plan.variants]
        rows = self._ordered()
        title = f"{len(variants)} variants, {len(self.plan.seeds)} seeds"
        title += f", {self.plan.budget} each" if self.plan.budget else ""
        report = Report(title, self.plan.command, variants, rows, len(self.plan.seeds), self.folder)
        write(report)
        return report

    def _ordered(self) -> list[Row]:
        keys = [(variant.label, seed) for variant, seed in self.plan.starts()]
        return [self.rows[key] for key in keys if key in self.rows]

    def _over(self) -> list[Row]:
        return [row for row in self._ordered() if self._is_over(row)]

    def _is_over(self, row: Row | None) -> bool:
        return row is not None and bool(row.failed or set(self.plan.metrics) <= set(row.measured))

    def _run(self, variant: Variant, seed: int) -> None:
        key = (variant.label, seed)
        self.view.run_begins(variant, seed)
        if key not in self.rows:
            self.rows[key] = self._train(variant, seed)
            write_results(self.folder, self._ordered())
        row = self.rows[key]
        if not self._is_over(row):
            self._measure(row)
            write_results(self.folder, self._ordered())
        self.view.run_over(row)
        signal = self.stop()
        if signal:
            raise self._stopped(f"stopped after {row.variant}, seed {seed}", signal)

    def _train(self, variant: Variant, seed: int) -> Row:
        inside = f"{variant.folder}/seed-{seed}"
        run = dataclasses.replace(variant.run, seed=seed, out=str(self.folder / inside))
        begun = (run.folder / "run.json").exists()
        failed = ""
        try:
            registry = with_view(self.registry, self.view)
            train(run, registry, resume=begun, progress=self.progress, stop=self.stop)
        except RunStopped as error:
            signal = error.exit_code - 128
            raise self._stopped(f"{variant.label}, seed {seed}: {error}", signal) from error
        except RunFailed as error:
            if error.__cause__:  # a full disk, say: nothing that the variant could help
                raise RunFailed(f"{error}; {self._resume_hint()}", 1) from error
            failed = str(error)
        return row_of(variant.label, run, inside, failed)

    def _measure(self, row: Row) -> None:
        missing = tuple(name for name in self.plan.metrics if name not in row.measured)
        torch.set_num_threads(self.threads)  # not as few as the run took

        def progress(done: int, total: int) -> None:
            signal = self.stop()
            if signal:
                at = f"stopped while measuring {row.variant}, seed {row.seed}"
                raise self._stopped(at, signal)

        self.view.measuring()
        measured = evaluate(
            self.folder / row.folder,
            metrics=missing,
            samples=self.plan.samples,
            registry=self.registry,
            progress=progress,
        )
        row.measured |= {number.metric: measured_as_dict(number) for number in measured}
        for name in sorted(set(missing) - set(row.measured)):
            raise GankitError(f"metric {name!r} gave no number for {self.folder / row.folder}")
        self.view.measured()

    def _check_pictures(self) -> None:
        """An error if the pictures are not those that the race was planned with."""
        runs = [variant.run for variant in self.plan.variants]
        for run in {tuple(getattr(run, name) for name in PICTURES): run for run in runs}.values():
            now = prepare(run, self.registry, self.progress).fingerprint
            if now != run.fingerprint:
                raise GankitError(f"the pictures are not those that {self.folder} began with")

    def _stopped(self, what: str, signal: int) -> RunStopped:
        return RunStopped(f"{what}; {self._resume_hint()}", 128 + signal)

    def _resume_hint(self) -> str:
        return f"go on: gankit race --resume {shlex.quote(str(self.folder))}"


def with_view(registry: Registry, observer: Any) -> Registry:
    """The registry with another observer in the place of the console's view of a single run."""
    own = Registry()
    own.plugins = [plugin for plugin in registry.plugins if plugin.name != "console"]
    own.load("race-view", lambda: observer)
    return own


def _view() -> PlainView:
    """The view that suits where the output goes."""
    if sys.stdout.isatty():
        from gankit_race.live import LiveView

        return LiveView()
    return PlainView()
