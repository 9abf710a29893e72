"""`gankit.compare`: what may be said of runs that exist."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gankit_metrics.evaluate import evaluate

from gankit.core.errors import GankitError
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run, option
from gankit.core.stop import Progress
from gankit.training import checkpoint
from gankit.training.run_file import load_run
from gankit_race.plan import choose_metrics, made_folder, read_plan
from gankit_race.publish import write
from gankit_race.racing import refuse_taken
from gankit_race.report import Report
from gankit_race.results import Row, measured_as_dict, row_of
from gankit_race.vary import PICTURES, SELF_EVIDENT, differing

OF_THE_MODEL = ("generator", "discriminator")  # follow from it


def compare(
    *runs: str | Path,
    metrics: Sequence[str] = (),
    samples: int = 1000,
    out: str | Path | None = None,
    registry: Registry | None = None,
) -> Path:
    """Compare runs, or those of a race's folder; returns the folder with the page."""
    registry = registry or load_registry()
    report = compared(
        [Path(run) for run in runs],
        metrics,
        samples,
        Path(out) if out else None,
        registry,
        lambda done, total: None,
    )
    return report.folder


def compared(
    folders: Sequence[Path],
    metrics: Sequence[str],
    samples: int,
    out: Path | None,
    registry: Registry,
    progress: Progress,
) -> Report:
    """The report of a comparison, written."""
    if out:
        refuse_taken(out)
    names = choose_metrics(metrics, registry)
    warnings: list[str] = []
    runs = [load_run(path, out=str(path)) for folder in folders for path in _runs_in(folder)]
    steps = {run.out: _step(run, warnings) for run in runs}
    variants = _variants(runs, steps, warnings)
    rows = []
    for label, own_runs in variants.items():
        for run in own_runs:
            row = row_of(label, run, str(run.folder.resolve()), upto=steps[run.out])
            _measure(row, names, samples, registry, progress)
            rows.append(row)
    command = shlex.join(["gankit", "compare", *map(str, folders)])
    firsts = [(label, own_runs[0]) for label, own_runs in variants.items()]
    seeds = max(len(own_runs) for own_runs in variants.values())
    title = f"{len(firsts)} variants, {len(rows)} runs"
    folder = out or made_folder("compare")
    report = Report(title, command, firsts, rows, seeds, folder, [*warnings, *_unfair(firsts)])
    write(report)
    return report


def _runs_in(folder: Path) -> list[Path]:
    """The run itself, or the runs of a race in its order, as far as it came."""
    if (folder / "run.json").exists() or not (folder / "race.json").exists():
        return [folder]
    starts = read_plan(folder).starts()
    runs = [folder / variant.folder / f"seed-{seed}" for variant, seed in starts]
    return [run for run in runs if (run / "run.json").exists()]


def _step(run: Run, warnings: list[str]) -> int:
    """Where the run's newest checkpoint stands."""
    kept = checkpoint.list_checkpoints(run.folder / "checkpoints")
    if not kept:
        raise GankitError(f"{run.out} has no checkpoint yet, so there is nothing to compare")
    step = checkpoint.step_of(kept[0])
    if step < run.steps:
        warnings.append(f"{run.out} is not finished: step {step:,} of {run.steps:,}.")
    return step


def _variants(
    runs: Sequence[Run], steps: dict[str, int], warnings: list[str]
) -> dict[str, list[Run]]:
    """Runs by what tells them apart, in the order given; those of one variant differ in seed."""
    names = _decisions(runs)
    groups: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for run in runs:
        shown = steps[run.out] * run.batch_size * run.d_steps
        group = groups[(*(getattr(run, name) for name in names), shown)]
        twin = next((other for other in group if other.seed == run.seed), None)
        if twin:
            warnings.append(f"{run.out} has settings and seed of {twin.out}; it is left out.")
        else:
            group.append(run)
    labels = [", ".join(map(_label, names, key)) for key in groups]
    if len(set(labels)) < len(labels):  # they differ in length, alone or besides
        labels = [
            ", ".join(filter(None, (label, f"{key[-1] / 1000:,.4g} kimg")))
            for label, key in zip(labels, groups, strict=True)
        ]
    if len(groups) < 2:
        raise GankitError(
            "these runs differ in nothing but their seed: there is nothing to compare"
        )
    return dict(zip(labels, groups.values(), strict=True))


def _decisions(runs: Sequence[Run]) -> list[str]:
    """The settings that differ, without those that merely follow from another one that does."""
    names = differing(runs)
    follow = set(OF_THE_MODEL) if "model" in names else set()
    if set(names) & set(PICTURES) - {"fingerprint"}:
        follow.add("fingerprint")
    return [name for name in names if name not in follow]


def _label(name: str, value: Any) -> str:
    if name == "tricks":
        return "+".join(value) or "no trick"
    if isinstance(value, bool):
        return option(name if value else f"no_{name}")[2:]
    text = "+".join(value) if isinstance(value, tuple) else str(value)
    return text if name in SELF_EVIDENT else f"{option(name)[2:]} {text}"


def _measure(
    row: Row, names: Sequence[str], samples: int, registry: Registry, progress: Progress
) -> None:
    if names:
        measured = evaluate(
            Path(row.folder),
            metrics=tuple(names),
            samples=samples,
            registry=registry,
            progress=progress,
        )
        row.measured = {number.metric: measured_as_dict(number) for number in measured}


def _unfair(variants: Sequence[tuple[str, Run]]) -> list[str]:
    """Warnings about variants that differ from the baseline in more than one setting."""
    warnings = []
    (_, baseline), *others = variants
    for label, run in others:
        names = _decisions([baseline, run])
        if len(names) > 1:
            settings = ", ".join(
                f"{option(name)} {_plain(getattr(baseline, name))} / {_plain(getattr(run, name))}"
                for name in names
            )
            what = f"{label} differs from the baseline in {len(names)} settings"
            warnings.append(f"{what}, so the cause may be any of them: {settings}.")
    return warnings


def _plain(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)
