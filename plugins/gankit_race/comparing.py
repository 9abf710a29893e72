"""`gankit.compare`: compare runs that are trained already."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gankit_metrics.evaluate import evaluate
from gankit_metrics.measurement import DEFAULT_SAMPLES

from gankit.core.errors import GankitError
from gankit.core.files.portable_path import portable_path
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.progress import Progress, no_progress
from gankit.core.run.all_stages import count_pictures
from gankit.core.run.init_text import split_init
from gankit.core.run.settings import Run, gankit_with, option
from gankit.core.run.stage import without
from gankit.core.shell import join_command
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.best import read_progress
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.folder import make_numbered_folder
from gankit.training.run_folder.run_file import Data, data_paths, load_run
from gankit_race.differences import IMAGES, compared_settings, setting_label, warn_if_confounded
from gankit_race.find_race import race_folder
from gankit_race.plan import choose_metrics, read_plan
from gankit_race.racing import refuse_used_folder
from gankit_race.report.publish import write_report
from gankit_race.report.report import Report
from gankit_race.results import measurement_as_dict, row_of_run
from gankit_race.variants import CHOSEN, NOT_COMPARED

NO_CHECKPOINT = "has no checkpoint that can be compared"


def compare(
    *runs: str | Path,
    metrics: Sequence[str] = (),
    samples: int = DEFAULT_SAMPLES,
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
    runs, steps = _load_runs(folders, warnings)
    variants, compared = _group_by_variant(runs, steps, warnings)
    folder = out or make_numbered_folder("races", "compare")
    rows = []
    for label, variant_runs in variants.items():
        for run in variant_runs:
            run_folder = portable_path(run.out, folder, Path.cwd())
            failed = NO_CHECKPOINT if steps[run.out] is None else ""
            row = row_of_run(label, run, run_folder, failed, last_step=steps[run.out])
            if names and not failed:
                row.measured = _measure(run, names, samples, registry, progress, data)
            rows.append(row)
    first_runs = [(label, variant_runs[0]) for label, variant_runs in variants.items()]
    incidental = set(CHOSEN) - {"precision", *compared}
    report = Report(
        title=f"{len(first_runs)} variants, {len(rows)} runs",
        command=_command_line(registry, folders, metrics, samples, data_paths(data)),
        variants=first_runs,
        rows=rows,
        seeds=max(len(variant_runs) for variant_runs in variants.values()),
        folder=folder,
        warnings=[*warnings, *warn_if_confounded(first_runs, incidental)],
    )
    write_report(report)
    return report


def _command_line(
    registry: Registry,
    folders: Sequence[Path],
    metrics: Sequence[str],
    samples: int,
    data: Sequence[str],
) -> str:
    """The command line that repeats the comparison."""
    words = [*gankit_with(registry.files), "compare", *map(str, folders)]
    for name in metrics:
        words += ["--metric", str(name)]
    if samples != DEFAULT_SAMPLES:
        words += ["--samples", str(samples)]
    for path in data:
        words += ["--data", path]
    return join_command(words)


def _load_runs(
    folders: Sequence[Path], warnings: list[str]
) -> tuple[list[Run], dict[str, int | None]]:
    """The runs in these folders, and the step of the newest checkpoint of each folder of a run.

    None for a run of a race that has no checkpoint. GankitError for any other, or for a single run.
    """
    of_race = {
        path: race_folder(folder) is not None for folder in folders for path in _run_folders(folder)
    }
    runs = _with_equal_bases([_without_measuring(load_run(path)) for path in of_race])
    if len(runs) < 2:
        raise GankitError("one run cannot be compared: give two or more, gankit compare RUN RUN")
    steps = {}
    for run, is_of_race in zip(runs, of_race.values(), strict=True):
        steps[run.out] = _last_step(run, warnings)
        if steps[run.out] is None and not is_of_race:
            raise GankitError(f"{run.out} {NO_CHECKPOINT}")
    return runs, steps


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


def _without_measuring(run: Run) -> Run:
    """The run without stages in which only settings changed that are not compared."""
    return dataclasses.replace(run, stages=without(run.stages, NOT_COMPARED))


def _run_folders(folder: Path) -> list[Path]:
    """The folder of a run, or the folders of a race's runs, in order, that exist."""
    race = race_folder(folder)
    if race is None:
        return [find_run(folder)]
    all_runs = read_plan(race).all_runs()
    folder = race
    runs = [folder / variant.run_folder(seed) for variant, seed in all_runs]
    return [run for run in runs if (run / "run.json").exists()]


def _last_step(run: Run, warnings: list[str]) -> int | None:
    """The step of the newest checkpoint that can be read; a warning if the run did not end there.

    None if there is no such checkpoint.
    """
    newest = checkpoint.find_undamaged(run.folder / "checkpoints")
    if newest is None:
        return None
    step = checkpoint.step_of(newest)
    if step < run.steps and not _was_ended_by_patience(run, newest):
        warnings.append(f"{run.out} is not finished: step {step:,} of {run.steps:,}.")
    return step


def _was_ended_by_patience(run: Run, newest: Path) -> bool:
    """Whether the newest checkpoint of a run is from the measurement with which it ended."""
    if not run.patience:
        return False
    progress = read_progress(checkpoint.load(newest).state.get("best", {}))
    return progress.since >= run.patience


def _group_by_variant(
    runs: Sequence[Run], steps: Mapping[str, int | None], warnings: list[str]
) -> tuple[dict[str, list[Run]], list[str]]:
    """Label -> the runs of a variant, which differ only in their seed, in the order of `runs`.

    And the settings in which variants differ.
    """
    images = {run.out: _count_images(run, steps[run.out]) for run in runs}
    names = _settings_of_variants(runs, images)
    groups: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for run in runs:
        group = groups[_values(run, names, images)]
        same_seed = next((other for other in group if other.seed == run.seed), None)
        if same_seed:
            warnings.append(
                f"{run.out} is ignored: it has the same settings and seed as {same_seed.out}."
            )
        else:
            group.append(run)
    if len(groups) < 2:
        _refuse_single_variant(next(iter(groups.values())), images)
    labels = [", ".join(map(setting_label, names, values)) for values in groups]
    variants = dict(zip(labels, groups.values(), strict=True))
    warnings += _warn_of_precisions(variants)
    return variants, names


def _warn_of_precisions(variants: Mapping[str, Sequence[Run]]) -> list[str]:
    """A line for each variant whose runs were not all trained in one precision."""
    of_variant = {label: {run.precision for run in runs} for label, runs in variants.items()}
    return [
        f"{label}: its runs were trained in different precisions, {' and '.join(sorted(several))}."
        for label, several in of_variant.items()
        if len(several) > 1
    ]


def _count_images(run: Run, step: int | None) -> int:
    """The pictures that D was shown; those that it should have been, if there is no checkpoint."""
    return count_pictures(run, run.steps if step is None else step)


def _values(run: Run, names: Sequence[str], images: Mapping[str, int]) -> tuple[Any, ...]:
    """The values of settings, one of which may be IMAGES."""
    return tuple(images[run.out] if name == IMAGES else getattr(run, name) for name in names)


def _settings_of_variants(runs: Sequence[Run], images: Mapping[str, int]) -> list[str]:
    """The settings in which variants differ, in the order of their labels.

    The runs of a variant may differ in what gankit chose, and in how many steps fitted into a
    budget. These count only if runs of the same seed differ in nothing else.
    """
    names = [name for name in compared_settings(runs) if name not in CHOSEN]
    for name in (IMAGES, *CHOSEN):
        values: dict[tuple[Any, ...], set[Any]] = defaultdict(set)
        for run in runs:
            values[run.seed, *_values(run, names, images)].update(_values(run, [name], images))
        if any(len(different) > 1 for different in values.values()):
            names.append(name)
    return names


def _refuse_single_variant(group: Sequence[Run], images: Mapping[str, int]) -> None:
    """GankitError: these runs of one variant leave nothing to compare."""
    if len(group) == 1:
        raise GankitError(
            "these runs have the same settings and the same seed, so one repeats the other, and "
            "there is nothing to compare"
        )
    differing = [option(n) for n in CHOSEN[:-1] if len({getattr(run, n) for run in group}) > 1]
    if len({images[run.out] for run in group}) > 1:
        differing.insert(0, "their length")
    if differing:
        also = f" and in {', '.join(differing)}"
        cure = "to compare these, give runs of the same seed"
        raise GankitError(f"these runs differ only in their seed{also}: {cure}")
    raise GankitError("these runs differ only in their seed, so there is nothing to compare")


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
