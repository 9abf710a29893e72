"""The plan of a race: every setting is decided before the first run and written to race.json."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gankit import testing
from gankit.compute.compiling import compile_networks
from gankit.core.clock import MIN_SECONDS
from gankit.core.errors import GankitError, quote_value
from gankit.core.files.read_json import Types, find_wrong_type, is_list_of, read_json_object
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress
from gankit.core.run.settings import Run, parse_length
from gankit.core.run.stage import without
from gankit.core.version import __version__
from gankit.data.prepare import prepare
from gankit.training import assemble
from gankit.training.budget.phase_costs import stay_in_first_phase, time_phases
from gankit.training.out_of_memory import explain_out_of_memory
from gankit.training.run_folder.folder import make_numbered_folder
from gankit.training.run_folder.recorded_paths import find_paths, path_entries
from gankit.training.run_folder.run_file import make_run, read_settings
from gankit.training.weights.begin_weights import base_of
from gankit_race.find_race import RACE_FILE
from gankit_race.race_folder import check_race_folder
from gankit_race.results import write_file
from gankit_race.variants import NOT_COMPARED, SAME_LENGTH, Variant

SECONDS = {"s": 1, "m": 60, "h": 3600}  # unit of a budget -> seconds
MAX_TIMED_STEPS = 2000  # enough of very short ones; also ends if the clock stands still
PLAN = "the plan of a race"
DECIDED_ONCE = ("precision", "threads", "zoom")  # settings that may be auto or 0
_ENTRIES: dict[str, Types] = {
    "gankit": str, "variants": list, "command": str, "budget": str, "seeds": list, "metrics": list,
    "samples": int, "begun_in": str,
}  # fmt: skip
_VARIANT: dict[str, Types] = {"label": str, "folder": str, "run": dict, "step_seconds": int | float}
STEPS_PER_TURN = 4  # when variants are timed in turns
DEFAULT_METRICS = ("kid", "swd")  # those of them that are installed
# The length of a run whose budget is a time, until its number of steps is known. It is long, so
# that tricks which fade out during a run are timed while they act.
UNKNOWN_LENGTH = "1000000 steps"


@dataclass(frozen=True)
class Timing:
    """How long to time each variant: at least `seconds` and `steps`, at most `max_seconds`."""

    seconds: float
    steps: int
    max_seconds: float


TIMING_OF_BUDGET = Timing(1.5, 16, 20.0)  # 16 steps, because some tricks act every 16th step only
TIMING_OF_ESTIMATE = Timing(0.2, STEPS_PER_TURN, 2.0)  # only to tell how long the race will take


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Variants, each with its number of steps, and the seeds that each of them is trained with."""

    command: str  # the command that repeats the race
    budget: str  # length of each run, as you wrote it; "": each variant has its own length
    variants: tuple[Variant, ...]  # the first is the baseline
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    samples: int  # generated pictures to measure

    def all_runs(self) -> list[tuple[Variant, int]]:
        """Every run as (variant, seed), in order: all variants with one seed, then the next seed.

        So a machine that gets slower with time is slower for all variants, and a race that is
        stopped has whole seeds to compare.
        """
        return [(variant, seed) for seed in self.seeds for variant in self.variants]

    def write(self, folder: Path) -> None:
        """Write race.json, with paths as seen from `folder`."""
        check_race_folder(folder, self.variants)
        record = {"gankit": __version__, **dataclasses.asdict(self)}
        for variant in record["variants"]:
            run = variant["run"]
            entries = path_entries(folder / RACE_FILE, run["data"], run["init"])
            record["begun_in"] = entries.pop("begun_in")
            run.update(entries)
        write_file(folder / RACE_FILE, json.dumps(record, indent=1) + "\n")


def read_plan(folder: Path) -> Plan:
    """Read a race's race.json; GankitError if it, or a link, leads out of the race's folder."""
    path = folder / RACE_FILE
    record = read_json_object(path, PLAN, _ENTRIES)
    missing = next((name for name in _ENTRIES if name not in record), "begun_in")
    try:
        if missing != "begun_in":  # which old races do not have
            raise GankitError(f"{missing!r} is missing")
        if not is_list_of(record["seeds"], int) or not is_list_of(record["metrics"], str):
            raise GankitError("its seeds are not whole numbers, or its metrics are not texts")
        variants = tuple(_read_variant(fields, record, folder) for fields in record["variants"])
        if not variants:
            raise GankitError("it has no variants")
        if not record["seeds"]:
            raise GankitError("it has no seeds")
    except GankitError as error:
        raise GankitError(f"{path} is not {PLAN}: {error}") from error
    check_race_folder(folder, variants)
    return Plan(
        command=record["command"],
        budget=record["budget"],
        variants=variants,
        seeds=tuple(record["seeds"]),
        metrics=tuple(record["metrics"]),
        samples=record["samples"],
    )


def _read_variant(fields: Any, record: dict[str, Any], folder: Path) -> Variant:
    """A variant of race.json, with paths as seen from the working directory. GankitError."""
    wrong = find_wrong_type(fields, _VARIANT)
    missing = wrong or next((f"{name!r} is missing" for name in _VARIANT if name not in fields), "")
    if missing:
        raise GankitError(f"in a variant, {missing}")
    name = fields["folder"]
    if name.startswith(".") or not re.fullmatch(r"[\w.=+-]{1,100}", name):
        raise GankitError(f"the folder {quote_value(name)} of a variant is not a plain name")
    settings = read_settings(fields["run"])
    settings.update(find_paths(record, settings, folder))
    return Variant(
        label=fields["label"],
        folder=name,
        run=make_run(settings, f"the variant {name}"),
        step_seconds=fields["step_seconds"],
    )


def choose_metrics(names: Sequence[str], registry: Registry) -> tuple[str, ...]:
    """Check the metrics to measure; without names, the default ones that are installed."""
    if names:
        for text in names:
            registry.make("metric", text)  # an error now is better than after the first run
        return tuple(registry.check("metric", text) for text in names)
    installed = []
    for name in DEFAULT_METRICS:
        with contextlib.suppress(GankitError):  # its features may not be installed
            registry.make("metric", name)
            installed.append(name)
    return tuple(installed)


def make_plan(
    variants: Sequence[Variant],
    *,
    seeds: int,
    budget: str,
    registry: Registry,
    progress: Progress,
    **fields: Any,
) -> Plan:
    """Decide what is still open: device, precision, threads, and the steps of each variant.

    fields: the other fields of the plan.
    """
    if seeds < 1:
        raise GankitError(f"--seeds is {seeds}; it must be 1 or more")
    if any(variant.run.patience for variant in variants):
        cure = "give --patience 0"
        raise GankitError(f"--patience works with gankit run only, as {SAME_LENGTH}: {cure}")
    seconds = _parse_seconds(budget)
    if budget and not seconds:
        variants = [_with_run(variant, length=budget, steps=0) for variant in variants]
    variants, trainers = _resolve_auto(variants, registry, progress)
    timing = TIMING_OF_BUDGET if seconds else TIMING_OF_ESTIMATE
    largest = max((trainer.run for trainer in trainers), key=lambda run: run.batch_size)
    with explain_out_of_memory(largest, registry):
        try:
            all_step_seconds = time_steps(trainers, progress, timing)
        finally:
            trainers.clear()  # their memory is needed to find out what fits
    variants = [
        dataclasses.replace(variant, step_seconds=step_seconds)
        for variant, step_seconds in zip(variants, all_step_seconds, strict=True)
    ]
    if seconds:
        variants = [_fit_steps(variant, seconds) for variant in variants]
    first = variants[0].run.seed
    seed_numbers = tuple(range(first, first + seeds))
    return Plan(variants=tuple(variants), seeds=seed_numbers, budget=budget, **fields)


def _parse_seconds(budget: str) -> float:
    """The seconds of a time such as `5m`; 0 if the budget is a length in steps, kimg or epochs."""
    if not budget:
        return 0.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh])", budget.strip())
    if match and float(match[1]) > 0:
        return float(match[1]) * SECONDS[match[2]]
    if not match:
        with contextlib.suppress(GankitError):
            parse_length(budget)
            return 0.0
    forms = "a time such as 5m, or a length such as 40kimg, 500steps or 10epochs"
    raise GankitError(f"--budget is {budget!r}; write {forms}")


def _with_run(variant: Variant, **changes: Any) -> Variant:
    return dataclasses.replace(variant, run=dataclasses.replace(variant.run, **changes))


def _fit_steps(variant: Variant, seconds: float) -> Variant:
    """The variant with as many steps as fit into the time.

    From now on the number of steps counts, not the clock: a race that is resumed or repeated gets
    the same numbers.
    """
    steps = max(1, round(seconds / variant.step_seconds))
    # Training sets the intervals to the defaults for this length.
    return _with_run(variant, length=f"{steps} steps", steps=steps, draw_every=0, save_every=0)


def _resolve_auto(
    variants: Sequence[Variant], registry: Registry, progress: Progress
) -> tuple[list[Variant], list[assemble.Trainer]]:
    """The variants without `auto` settings, and a trainer of each, which proves that it can run.

    DECIDED_ONCE are alike in all variants that leave them open. Precision and threads depend on
    measured speeds, and two measurements on a busy machine may disagree. Zoom depends on the number
    of pictures, so variants with fewer of them would differ in zoom, too.
    """
    threads_before = torch.get_num_threads()
    decided: dict[tuple[str, str], Any] = {}  # device, field -> its value
    resolved: list[Variant] = []
    trainers = []
    for variant in variants:
        device = variant.run.device
        left_open = [name for name in DECIDED_ONCE if getattr(variant.run, name) in ("auto", 0)]
        known = {name: decided[device, name] for name in left_open if (device, name) in decided}
        stages = without(variant.run.stages, NOT_COMPARED)
        run = dataclasses.replace(variant.run, **known, stages=stages)
        torch.set_num_threads(threads_before)
        try:
            _refuse_stages(run)
            testing.try_external_parts(run, registry, progress)
            prepared = prepare(run, registry, progress)
            run = assemble.resolve_auto(run, prepared)
            base = base_of(run, resume=False)
            trainer = assemble.assemble(run, registry, prepared, base=base)
            trainer.run = compile_networks(run, trainer.gan)
        except GankitError as error:
            raise GankitError(f"variant {variant.label!r}: {error}", error.exit_code) from error
        decided |= {(device, name): getattr(run, name) for name in left_open}
        _refuse_same_run(resolved, variant, trainer.run)
        resolved.append(dataclasses.replace(variant, run=trainer.run))
        trainers.append(trainer)
    torch.set_num_threads(threads_before)
    return resolved, trainers


def _refuse_same_run(others: Sequence[Variant], variant: Variant, run: Run) -> None:
    """GankitError if `auto` stands for the value that another variant has."""
    for other in others:
        if other.run == run:
            what = f"variants {other.label!r} and {variant.label!r} are the same run"
            why = "auto stands for the other's value here"
            raise GankitError(f"{what}, as {why}: omit one of them")


def _refuse_stages(run: Run) -> None:
    if run.stages:
        what = "its settings change in the middle, and a race compares settings"
        raise GankitError(f"{what}: give options in place of --config")


def time_steps(
    trainers: Sequence[assemble.Trainer], progress: Progress, timing: Timing
) -> list[float]:
    """Seconds that a training step of each trainer takes; do not train with them afterwards.

    Trainers take turns of a few steps, in alternating order, so that a slow moment of the machine
    affects all of them.
    """
    threads = torch.get_num_threads()
    for trainer in trainers:
        stay_in_first_phase(trainer)
    seconds = [0.0] * len(trainers)
    steps = [0] * len(trainers)
    for turn in itertools.count():
        order = range(len(trainers)) if turn % 2 else reversed(range(len(trainers)))
        for index in order:
            torch.set_num_threads(trainers[index].run.threads or threads)
            turn_seconds = _time_turn(trainers[index], turn * STEPS_PER_TURN)
            if turn:  # the first turn is a warm-up
                seconds[index] += turn_seconds
                steps[index] += STEPS_PER_TURN
            progress(0, 0)  # raises if the user stops the race
        if all(_is_timed(timing, *spent) for spent in zip(seconds, steps, strict=True)):
            break
    means = []
    for trainer, total, count in zip(trainers, seconds, steps, strict=True):
        torch.set_num_threads(trainer.run.threads or threads)
        costs = time_phases(trainer, timing.seconds)  # the steps above were of the first phase
        means.append(max(total, MIN_SECONDS) / count * costs.mean() / costs.seconds[0])
    torch.set_num_threads(threads)
    return means


def _is_timed(timing: Timing, seconds: float, steps: int) -> bool:
    """Whether a trainer has been timed for long enough."""
    enough = seconds >= timing.seconds and steps >= timing.steps
    return enough or seconds >= timing.max_seconds or steps >= MAX_TIMED_STEPS


def _time_turn(trainer: assemble.Trainer, first_step: int) -> float:
    started = time.perf_counter()
    for step in range(first_step, first_step + STEPS_PER_TURN):
        float(trainer.step(step)["g_loss"])  # waits for the device
    return time.perf_counter() - started


def make_race_folder(variants: Sequence[Variant], names: Sequence[str]) -> Path:
    """Make a folder under races/ for a race that varies the options `names`."""
    dataset = variants[0].run.dataset.name
    return make_numbered_folder("races", "-".join([dataset, *dict.fromkeys(names)]))
