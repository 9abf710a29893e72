"""`gankit.compare`: compare runs that are trained already."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gankit_metrics.evaluate import evaluate

from gankit.core.all_stages import count_pictures
from gankit.core.errors import GankitError
from gankit.core.init_text import split_init
from gankit.core.portable_path import portable_path
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run, option
from gankit.core.shell import join_command
from gankit.core.stage import Stage
from gankit.core.stop import Progress, no_progress
from gankit.training import checkpoint
from gankit.training.find_run import find_run
from gankit.training.folder import make_numbered_folder
from gankit.training.run_file import Data, load_run
from gankit_race.find_race import race_folder
from gankit_race.plan import choose_metrics, read_plan
from gankit_race.publish import write_report
from gankit_race.racing import refuse_used_folder
from gankit_race.report import Report
from gankit_race.results import measurement_as_dict, row_of_run
from gankit_race.variants import PICTURES, SELF_EXPLANATORY, differing_settings

SET_BY_MODEL = ("generator", "discriminator")


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
        warnings=[*warnings, *_warn_if_confounded(first_runs)],
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
    names = _compared_settings(runs)
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
        labels.append(", ".join(map(_setting_label, names, values)))
    if len(set(labels)) < len(labels):  # some variants differ in the number of pictures
        for index, (*_, images) in enumerate(groups):
            kimg = f"{images / 1000:,.4g} kimg"
            labels[index] = f"{labels[index]}, {kimg}" if labels[index] else kimg
    return dict(zip(labels, groups.values(), strict=True))


def _compared_settings(runs: Sequence[Run]) -> list[str]:
    """The settings in which the runs differ, without those that follow from another of them."""
    names = differing_settings(runs)
    implied = set(SET_BY_MODEL) if "model" in names else set()
    if set(names) & set(PICTURES) - {"fingerprint"}:
        implied.add("fingerprint")
    return [name for name in names if name not in implied]


def _setting_label(name: str, value: Any) -> str:
    """`ema+r1`, `no-flip`, `hinge` or `batch-size 64`."""
    if name == "tricks":
        return "+".join(value) or "no trick"
    if name in _HISTORY:
        return _HISTORY[name](value)
    if isinstance(value, bool):
        return option(name if value else f"no_{name}").removeprefix("--")
    text = "+".join(map(str, value)) if isinstance(value, tuple) else str(value)
    if not text:
        return f"{option(name).removeprefix('--')} none"
    return text if name in SELF_EXPLANATORY else f"{option(name).removeprefix('--')} {text}"


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


def _warn_if_confounded(variants: Sequence[tuple[str, Run]]) -> list[str]:
    """A warning for each variant that differs from the baseline in more than one setting."""
    warnings = []
    (_, baseline), *others = variants
    for label, run in others:
        names = _compared_settings([baseline, run])
        if len(names) > 1:
            settings = ", ".join(
                _difference(name, getattr(baseline, name), getattr(run, name)) for name in names
            )
            warnings.append(
                f"{label} differs from the baseline in {len(names)} settings, so any of them may "
                f"be the cause: {settings}."
            )
    return warnings


def _difference(name: str, first: Any, second: Any) -> str:
    """`--lr-g 0.0002 / 0.0004`."""
    if name in _HISTORY:
        return f"{_HISTORY[name](first)} / {_HISTORY[name](second)}"
    return f"{option(name)} {_value_text(first)} / {_value_text(second)}"


def _describe_stages(stages: Sequence[Stage]) -> str:
    """`(until step 300: lr-g 0.0002)`: what a run with stages changed."""
    return " ".join(f"({stage})" for stage in stages) or "no stages"


def _describe_plans(plans: Sequence[str]) -> str:
    """`(until step 75: its length was 1,200)`: a run that was made longer or shorter."""
    pairs = [map(int, plan.split(":")) for plan in plans]
    texts = [f"(until step {until:,}: its length was {steps:,})" for until, steps in pairs]
    return " ".join(texts) or "one length"


# What a run went through; there is no option that sets it.
_HISTORY: dict[str, Callable[[Any], str]] = {
    "stages": _describe_stages,
    "earlier_plans": _describe_plans,
}


def _value_text(value: Any) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "none"
