"""`gankit.compare`: compare runs that are trained already."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gankit_metrics.evaluate import evaluate

from gankit.core.all_stages import count_pictures
from gankit.core.errors import GankitError
from gankit.core.init_text import split_init
from gankit.core.portable_path import portable_path
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.shell import join_command
from gankit.core.stop import Progress, no_progress
from gankit.training import checkpoint
from gankit.training.find_run import find_run
from gankit.training.folder import make_numbered_folder
from gankit.training.run_file import Data, load_run
from gankit_race.differences import compared_settings, setting_label, warn_if_confounded
from gankit_race.find_race import race_folder
from gankit_race.plan import choose_metrics, read_plan
from gankit_race.publish import write_report
from gankit_race.racing import refuse_used_folder
from gankit_race.report import Report
from gankit_race.results import measurement_as_dict, row_of_run


def compare(
    *runs: str | Path,
    metrics: Sequence[str] = (),
    samples: int = 1000,
    out: str | Path | None = None,
    registry: Registry | None = None,
    data: Data = (),
) -> Path:
    """Compare trained runs; returns the folder with the results and race.html.

    The folder of a race means all its runs. `data` says where their pictures are now, if they were
    moved. Raises GankitError if the runs cannot be compared.
    """
    registry = registry or load_registry()
    report = compare_folders(
        [Path(run) for run in runs],
        metrics,
        samples,
        Path(out) if out else None,
        registry,
        no_progress,
        data,
    )
    return report.folder


def compare_folders(
    folders: Sequence[Path],
    metrics: Sequence[str],
    samples: int,
    out: Path | None,
    registry: Registry,
    progress: Progress,
    data: Data = (),
) -> Report:
    """Measure and compare the runs in these folders; returns the report, which is written."""
    if out:
        refuse_used_folder(out)
    names = choose_metrics(metrics, registry)
    warnings: list[str] = []
    run_folders = [path for folder in folders for path in _run_folders(folder)]
    runs = _with_equal_bases(list(map(load_run, run_folders)))
    steps = {run.out: _last_step(run, warnings) for run in runs}
    variants = _group_by_variant(runs, steps, warnings)
    folder = out or make_numbered_folder("races", "compare")
    rows = []
    for label, variant_runs in variants.items():
        for run in variant_runs:
            run_folder = portable_path(run.out, folder, Path.cwd())
            row = row_of_run(label, run, run_folder, last_step=steps[run.out])
            if names:
                row.measured = _measure(run, names, samples, registry, progress, data)
            rows.append(row)
    first_runs = [(label, variant_runs[0]) for label, variant_runs in variants.items()]
    report = Report(
        title=f"{len(first_runs)} variants, {len(rows)} runs",
        command=join_command(["gankit", "compare", *map(str, folders)]),
        variants=first_runs,
        rows=rows,
        seeds=max(len(variant_runs) for variant_runs in variants.values()),
        folder=folder,
        warnings=[*warnings, *warn_if_confounded(first_runs)],
    )
    write_report(report)
    return report


def _with_equal_bases(runs: Sequence[Run]) -> list[Run]:
    """The runs, of which those that began with the same checkpoint have the same `init`.

    The base may have been moved between two of them; its digest tells that it is the same.
    """
    first: dict[tuple[str, str], str] = {}
    named = []
    for run in runs:
        _, step, digest = split_init(run.init)
        init = first.setdefault((step, digest), run.init) if digest else run.init
        named.append(dataclasses.replace(run, init=init))
    return named


def _run_folders(folder: Path) -> list[Path]:
    """The folder of a run, or the folders of a race's runs, in order, that exist."""
    race = race_folder(folder)
    if race is None:
        return [find_run(folder)]
    all_runs = read_plan(race).all_runs()
    folder = race
    runs = [folder / variant.run_folder(seed) for variant, seed in all_runs]
    return [run for run in runs if (run / "run.json").exists()]


def _last_step(run: Run, warnings: list[str]) -> int:
    """The step of the newest checkpoint that can be read; a warning if it is not the last step."""
    newest = checkpoint.find_undamaged(run.folder / "checkpoints")
    if newest is None:
        raise GankitError(f"{run.out} has no checkpoint that can be compared")
    step = checkpoint.step_of(newest)
    if step < run.steps:
        warnings.append(f"{run.out} is not finished: step {step:,} of {run.steps:,}.")
    return step


def _group_by_variant(
    runs: Sequence[Run], steps: dict[str, int], warnings: list[str]
) -> dict[str, list[Run]]:
    """Label -> the runs of a variant, which differ only in their seed, in the order of `runs`."""
    names = compared_settings(runs)
    groups: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for run in runs:
        images = count_pictures(run, steps[run.out])
        group = groups[(*(getattr(run, name) for name in names), images)]
        same_seed = next((other for other in group if other.seed == run.seed), None)
        if same_seed:
            warnings.append(
                f"{run.out} is ignored: it has the same settings and seed as {same_seed.out}."
            )
        else:
            group.append(run)
    if len(groups) < 2 and len(runs) > 1 and all(len(group) == 1 for group in groups.values()):
        raise GankitError(
            "these runs have the same settings and the same seed, so one repeats the other, and "
            "there is nothing to compare"
        )
    if len(groups) < 2:
        raise GankitError("these runs differ only in their seed, so there is nothing to compare")
    labels = []
    for *values, _ in groups:
        labels.append(", ".join(map(setting_label, names, values)))
    if len(set(labels)) < len(labels):  # some variants differ in the number of pictures
        for index, (*_, images) in enumerate(groups):
            kimg = f"{images / 1000:,.4g} kimg"
            labels[index] = f"{labels[index]}, {kimg}" if labels[index] else kimg
    return dict(zip(labels, groups.values(), strict=True))


def _measure(
    run: Run,
    names: Sequence[str],
    samples: int,
    registry: Registry,
    progress: Progress,
    data: Data,
) -> dict[str, dict[str, Any]]:
    measurements = evaluate(
        run.folder,
        metrics=tuple(names),
        samples=samples,
        registry=registry,
        progress=progress,
        data=data,
    )
    return {measurement.metric: measurement_as_dict(measurement) for measurement in measurements}
