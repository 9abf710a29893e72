"""`gankit.race`, and the folder and plan of a race."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.progress import no_progress
from gankit.core.run.settings import Run
from gankit.core.shell import quote_word
from gankit.core.stop import Stop, stop_on_interrupt
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.folder_lock import NEW_ADVICE, RESUME_ADVICE, FolderLock
from gankit.training.run_folder.run_file import data_paths, record_move
from gankit.training.settings.compose import compose
from gankit_race.find_race import RACE_FILE, find_race
from gankit_race.pictures import check_pictures, move_pictures
from gankit_race.plain_view import PlainView
from gankit_race.plan import (
    UNKNOWN_LENGTH,
    Plan,
    choose_metrics,
    make_plan,
    make_race_folder,
    read_plan,
)
from gankit_race.race_folder import check_race_folder
from gankit_race.recipes import SEEDS
from gankit_race.report.publish import print_report
from gankit_race.runner import RaceRunner
from gankit_race.variants import Variant, make_variants, parse_fields


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
    settings are those of `gankit.compose`. `race(resume=folder)` continues a race that stopped,
    with `data=` if its pictures moved. Raises GankitError; RunStopped after an interrupt; RunFailed
    if a failure is not the variant's.
    """
    registry = registry or load_registry()
    if resume is not None:
        data = data_paths(settings.get("data", ()))
        return _resume(find_race(resume), seeds, metrics, registry, data)
    if not vary:
        raise GankitError("vary is missing: vary={'tricks': ['none', 'ema']}")
    seeds = SEEDS if seeds is None else seeds
    plan = make_plan(
        _make_variants(vary, settings, budget, registry),
        seeds=seeds,
        budget=budget,
        registry=registry,
        progress=no_progress,
        metrics=choose_metrics(metrics, registry),
        samples=samples,
        command=f"gankit.race({dict(vary)!r}, seeds={seeds}, budget={budget!r}, **{settings})",
    )
    with claim_folder(plan, Path(out) if out else None, list(vary)) as folder:
        _run_plan(plan, folder, registry)
    return folder


def _resume(
    folder: Path,
    seeds: int | None,
    metrics: Sequence[str],
    registry: Registry,
    data: tuple[str, ...],
) -> Path:
    with FolderLock(folder).acquire(RESUME_ADVICE):
        _run_plan(resume_plan(folder, seeds, metrics, registry, data), folder, registry)
    return folder


def _run_plan(plan: Plan, folder: Path, registry: Registry) -> None:
    """Train and measure the runs that are missing, and print the tables; an interrupt stops it."""
    stop = Stop()
    progress = stop.raise_on_stop(no_progress)
    with stop_on_interrupt(stop):
        print_report(RaceRunner(plan, folder, registry, PlainView(), stop, progress).run_all())


def _make_variants(
    vary: Mapping[str, Sequence[Any]],
    settings: Mapping[str, Any],
    budget: str,
    registry: Registry,
) -> list[Variant]:
    common = dict(settings)
    if budget:
        common["length"] = UNKNOWN_LENGTH

    def build(fields: list[tuple[str, Any]]) -> Run:
        return compose(registry, **{**common, **dict(fields)})

    return make_variants(parse_fields(vary), build)


@contextlib.contextmanager
def claim_folder(plan: Plan, folder: Path | None, names: Sequence[str]) -> Iterator[Path]:
    """The folder of a new race, with its plan, locked while open; None makes one under races/.

    names: the options that the race varies, for the name of the folder. GankitError if the folder
    already holds a race or a run, or if another one has just begun there.
    """
    folder = folder or make_race_folder(plan.variants, names)
    with FolderLock(folder).acquire(NEW_ADVICE):
        refuse_used_folder(folder)
        plan.write(folder)
        yield folder


def refuse_used_folder(folder: Path) -> None:
    """GankitError if the folder already holds a race or a run, or links that lead out of it."""
    check_race_folder(folder)
    if (folder / RACE_FILE).exists():
        resume = f"gankit race --resume {quote_word(str(folder))}"
        raise GankitError(
            f"{folder} already holds a race: continue it with {resume}, or choose another --out"
        )
    if (folder / "run.json").exists():
        raise GankitError(f"{folder} already holds a run: choose another --out")


def resume_plan(
    folder: Path,
    seeds: int | None,
    metrics: Sequence[str],
    registry: Registry,
    data: tuple[str, ...] = (),
) -> Plan:
    """Read the plan of a race, and add seeds and metrics to it if they are given.

    data: where its pictures are now, if they were moved.
    """
    plan = read_plan(folder)
    if data:
        plan = move_pictures(plan, data)
        check_pictures(plan, folder, registry, no_progress)
        for variant, seed in plan.all_runs():
            run_folder = folder / variant.run_folder(seed)
            if (run_folder / RUN_FILE).exists():
                record_move(run_folder, data)
    new_plan = extend_plan(plan, folder, seeds, metrics, registry)
    if data or new_plan != plan:
        new_plan.write(folder)
    return new_plan


def extend_plan(
    plan: Plan, folder: Path, seeds: int | None, metrics: Sequence[str], registry: Registry
) -> Plan:
    """The plan of the race in `folder` with more seeds and metrics. GankitError for fewer seeds."""
    if seeds is not None and seeds < len(plan.seeds):
        raise GankitError(
            f"--seeds is {seeds}, but the race in {folder} has {len(plan.seeds)} seeds; you can "
            "only add seeds"
        )
    first = plan.seeds[0]
    all_seeds = tuple(range(first, first + max(seeds or 0, len(plan.seeds))))
    new_metrics = choose_metrics(metrics, registry) if metrics else ()
    all_metrics = tuple(dict.fromkeys((*plan.metrics, *new_metrics)))
    if all_metrics:
        choose_metrics(all_metrics, registry)  # a plugin of the first start may be missing now
    return dataclasses.replace(plan, seeds=all_seeds, metrics=all_metrics)
