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
from gankit.core.prepared import Progress
from gankit.core.registry import Registry, load_registry
from gankit.data.prepare import prepare
from gankit.training.compose import compose
from gankit.training.loop import train
from gankit_race import vary as varying
from gankit_race.plan import LENGTH, Plan, choose_metrics, make_plan, new_folder, read_plan
from gankit_race.publish import show, write
from gankit_race.recipes import SEEDS
from gankit_race.report import Report
from gankit_race.results import Row, measured_as_dict, read_results, row_of, write_results
from gankit_race.vary import PICTURES, Variant
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
        plan, folder = resumed(Path(resume), seeds, metrics, registry), Path(resume)
    else:
        if not vary:
            raise GankitError("say what to vary: vary={'tricks': ['none', 'ema']}")
        asked = {**settings, **({"length": LENGTH} if budget else {})}
        build = _composer(asked, registry)
        variants = varying.cross(varying.fields(vary), build)
        seeds = SEEDS if seeds is None else seeds
        repeat = f"gankit.race({dict(vary)!r}, seeds={seeds}, budget={budget!r}, **{settings})"
        plan = make_plan(
            variants, seeds=seeds, budget=budget, registry=registry, progress=_silent,
            metrics=choose_metrics(metrics, registry), samples=samples, command=repeat,
        )  # fmt: skip
        folder = begin(plan, Path(out) if out else None, list(vary))
    show(Race(plan, folder, registry, PlainView()).to_the_end())
    return folder


def _composer(asked: dict[str, Any], registry: Registry) -> Callable[[list[Any]], Any]:
    return lambda pairs: compose(registry, **{**asked, **dict(pairs)})


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
    """The plan of a race that goes on, with more seeds or metrics if they are asked for."""
    plan = read_plan(folder)
    if seeds is not None and seeds < len(plan.seeds):
        had = len(plan.seeds)
        raise GankitError(f"{folder} was planned with {had} seeds; --seeds can only add to them")
    first = plan.seeds[0]
    every = tuple(range(first, first + max(seeds or 0, len(plan.seeds))))
    more = choose_metrics(metrics, registry) if metrics else ()
    wanted = tuple(dict.fromkeys((*plan.metrics, *more)))
    if wanted:
        choose_metrics(wanted, registry)  # the plugin that measured may be gone
    new = dataclasses.replace(plan, seeds=every, metrics=wanted)
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
        shown: PlainView | None = None,
        stop: Stop = lambda: 0,
        progress: Progress = _silent,
    ) -> None:
        self.plan, self.folder, self.registry = plan, folder, registry
        self.view, self.stop, self.progress = shown or _view(), stop, progress
        planned = {(variant.label, seed) for variant, seed in plan.starts()}
        rows = read_results(folder)
        self.rows = {(r.variant, r.seed): r for r in rows if (r.variant, r.seed) in planned}
        self.threads = torch.get_num_threads()

    def to_the_end(self) -> Report:
        """Train and measure what is missing; write the results, the page and the picture."""
        self._same_pictures()
        self.view.race_begins(self.plan, self._over(), self.folder)
        try:
            for variant, seed in self.plan.starts():
                if not self._is_over(self.rows.get((variant.label, seed))):
                    self._one(variant, seed)
        finally:
            torch.set_num_threads(self.threads)
            self.view.race_over()
        return self.report()

    def report(self) -> Report:
        """Tables, page and picture of what is there."""
        variants = [(one.label, one.run) for one in self.plan.variants]
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

    def _one(self, variant: Variant, seed: int) -> None:
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
        if stop := self.stop():
            raise self._stopped(f"stopped after {row.variant}, seed {seed}", stop)

    def _train(self, variant: Variant, seed: int) -> Row:
        inside = f"{variant.folder}/seed-{seed}"
        run = dataclasses.replace(variant.run, seed=seed, out=str(self.folder / inside))
        begun, failed = (run.folder / "run.json").exists(), ""
        try:
            registry = watched(self.registry, self.view)
            train(run, registry, resume=begun, progress=self.progress, stop=self.stop)
        except RunStopped as error:
            stop = error.exit_code - 128
            raise self._stopped(f"{variant.label}, seed {seed}: {error}", stop) from error
        except RunFailed as error:
            if error.__cause__:  # a full disk, say: nothing that the variant could help
                raise RunFailed(f"{error}; {self._go_on()}", 1) from error
            failed = str(error)
        return row_of(variant.label, run, inside, failed)

    def _measure(self, row: Row) -> None:
        missing = tuple(name for name in self.plan.metrics if name not in row.measured)
        torch.set_num_threads(self.threads)  # not as few as the run took

        def progress(done: int, total: int) -> None:
            if stop := self.stop():
                raise self._stopped(f"stopped while measuring {row.variant}, seed {row.seed}", stop)

        self.view.measuring()
        found = evaluate(
            self.folder / row.folder, metrics=missing, samples=self.plan.samples,
            registry=self.registry, progress=progress,
        )  # fmt: skip
        row.measured |= {one.metric: measured_as_dict(one) for one in found}
        if lost := set(missing) - set(row.measured):
            raise GankitError(f"metric {min(lost)!r} gave no number for {self.folder / row.folder}")
        self.view.measured()

    def _same_pictures(self) -> None:
        runs = [variant.run for variant in self.plan.variants]
        for run in {tuple(getattr(run, name) for name in PICTURES): run for run in runs}.values():
            now = prepare(run, self.registry, self.progress).fingerprint
            if now != run.fingerprint:
                raise GankitError(f"the pictures are not those that {self.folder} began with")

    def _stopped(self, what: str, stop: int) -> RunStopped:
        return RunStopped(f"{what}; {self._go_on()}", 128 + stop)

    def _go_on(self) -> str:
        return f"go on: gankit race --resume {shlex.quote(str(self.folder))}"


def watched(registry: Registry, observer: Any) -> Registry:
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
