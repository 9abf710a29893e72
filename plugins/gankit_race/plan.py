"""The plan of a race: everything is decided once, before the first start, and written down."""

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
from gankit.core.errors import GankitError
from gankit.core.registry import Registry
from gankit.core.settings import Run, parse_length
from gankit.core.stop import Progress
from gankit.core.version import __version__
from gankit.data.prepare import prepare
from gankit.training import assemble
from gankit_race.results import write_whole
from gankit_race.vary import Variant

UNITS = {"s": 1, "m": 60, "h": 3600}  # seconds
TURN = 4  # steps that a variant takes before it is the next one's turn
# How long to measure each variant: seconds, steps (some tricks act every 16th only), most seconds.
THOROUGH = (1.5, 16, 20.0)  # for a budget in time
GLANCE = (0.2, TURN, 2.0)  # to say how long the race will take
LENGTH = "1000000 steps"  # until a budget is planned: tricks that fade are measured at their start
USUAL = ("kid", "swd")  # measured where they are there and nobody says otherwise


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Variants, each with its number of steps, and the seeds that each of them runs with."""

    command: str  # that repeats the race
    budget: str  # of each run, as asked for; "": as long as each variant's own length
    variants: tuple[Variant, ...]  # the first is the baseline
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    samples: int

    def starts(self) -> list[tuple[Variant, int]]:
        """Every run in order: all variants with one seed, then with the next.

        So a machine that grows slow with time is slow for all, and the first seed compares early.
        """
        return [(variant, seed) for seed in self.seeds for variant in self.variants]

    def write(self, folder: Path) -> None:
        """Write race.json."""
        record = {"gankit": __version__, **dataclasses.asdict(self)}
        write_whole(folder / "race.json", json.dumps(record, indent=1) + "\n")


def read_plan(folder: Path) -> Plan:
    """The plan in a race's folder."""
    path = folder / "race.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record.pop("gankit")
        variants = [Variant(**{**v, "run": Run(**_hashable(v["run"]))}) for v in record["variants"]]
        return Plan(**{**_hashable(record), "variants": tuple(variants)})
    except OSError as error:
        raise GankitError(f"there is no race in {folder}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise GankitError(f"{path} is no plan of a race: {error}") from error


def _hashable(record: dict[str, Any]) -> dict[str, Any]:
    """What JSON made of a frozen dataclass, its lists tuples again."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}


def choose_metrics(names: Sequence[str], registry: Registry) -> tuple[str, ...]:
    """The metrics to measure: those named, or else the usual ones that can be made."""
    if names:
        for text in names:
            registry.make("metric", text)  # better refused now than after the first run
        return tuple(registry.check("metric", text) for text in names)
    usual = []
    for name in USUAL:
        with contextlib.suppress(GankitError):  # its features are not installed, say
            registry.make("metric", name)
            usual.append(name)
    return tuple(usual)


def make_plan(
    variants: Sequence[Variant],
    *,
    seeds: int,
    budget: str,
    registry: Registry,
    progress: Progress,
    **settings: Any,
) -> Plan:
    """Decide what is still open: device, arithmetic, threads, and how many steps each one takes."""
    if seeds < 1:
        raise GankitError("--seeds must be 1 or more")
    seconds = _seconds(budget)
    if budget and not seconds:
        variants = [_with_run(variant, length=budget, steps=0) for variant in variants]
    variants, trainers = _settled(variants, registry, progress)
    costs = step_seconds(trainers, progress, *(THOROUGH if seconds else GLANCE))
    variants = [
        dataclasses.replace(variant, step_seconds=cost)
        for variant, cost in zip(variants, costs, strict=True)
    ]
    if seconds:
        variants = [_within(variant, seconds) for variant in variants]
    first = variants[0].run.seed
    numbers = tuple(range(first, first + seeds))
    return Plan(variants=tuple(variants), seeds=numbers, budget=budget, **settings)


def _seconds(budget: str) -> float:
    """Of a time; 0 for a length in steps, kimg or epochs."""
    if not budget:
        return 0.0
    time_ = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh])", budget.strip())
    if time_ and float(time_[1]) > 0:
        return float(time_[1]) * UNITS[time_[2]]
    if not time_:
        with contextlib.suppress(GankitError):
            parse_length(budget)
            return 0.0
    forms = "a time such as 5m, or a length such as 40kimg, 500steps, 10epochs"
    raise GankitError(f"--budget is {budget!r}; write {forms}")


def _with_run(variant: Variant, **changes: Any) -> Variant:
    return dataclasses.replace(variant, run=dataclasses.replace(variant.run, **changes))


def _within(variant: Variant, seconds: float) -> Variant:
    """The variant with as many steps as fit into the time; what follows from them is decided anew.

    From here on the number of steps counts, not the clock: a race that is resumed or repeated ends
    with the same numbers.
    """
    steps = max(1, round(seconds / variant.step_seconds))
    cadences = {"draw_every": max(25, steps // 40), "save_every": max(100, steps // 10)}
    return _with_run(variant, length=f"{steps} steps", steps=steps, **cadences)


def _settled(
    variants: Sequence[Variant], registry: Registry, progress: Progress
) -> tuple[list[Variant], list[assemble.Trainer]]:
    """Variants with nothing left open, and a trainer of each: it tells whether they can run at all.

    `auto` is settled once for all variants that say so: the speed of bf16 is measured, and on a
    busy machine two measurements may not agree.
    """
    threads = torch.get_num_threads()
    precisions: dict[str, str] = {}
    settled = []
    trainers = []
    for variant in variants:
        device = variant.run.device
        precision = variant.run.precision
        if precision == "auto":
            precision = precisions.get(device, "auto")
        run = dataclasses.replace(
            variant.run, precision=precision, threads=variant.run.threads or threads
        )
        try:
            testing.try_external_parts(run, registry, progress)
            prepared = prepare(run, registry, progress)
            run = assemble.resolve_auto(run, prepared)
            trainer = assemble.assemble(run, registry, prepared)
            trainer.run = compile_networks(run, trainer.gan)
            trainers.append(trainer)
        except GankitError as error:
            raise GankitError(f"variant {variant.label!r}: {error}", error.exit_code) from error
        if variant.run.precision == "auto":
            precisions[device] = run.precision
        settled.append(dataclasses.replace(variant, run=trainers[-1].run))
    torch.set_num_threads(threads)
    return settled, trainers


def step_seconds(
    trainers: Sequence[assemble.Trainer], progress: Progress, enough: float, steps: int, most: float
) -> list[float]:
    """Seconds that a training step of each trainer takes; the trainers are of no use afterwards.

    They take turns of a few steps, there and back again, so that a slow moment of the machine hits
    all alike. Each goes on until all have had `enough` seconds and so many steps, or the `most`.
    """
    threads = torch.get_num_threads()
    spent = [0.0] * len(trainers)
    taken = [0] * len(trainers)
    for turn in itertools.count():
        order = range(len(trainers)) if turn % 2 else reversed(range(len(trainers)))
        for index in order:
            torch.set_num_threads(trainers[index].run.threads or threads)
            seconds = _turn(trainers[index], turn * TURN)
            if turn:  # the first one warms up
                spent[index] += seconds
                taken[index] += TURN
            progress(0, 0)  # somebody may want to stop
        measured = zip(spent, taken, strict=True)
        if all(s >= most or (s >= enough and n >= steps) for s, n in measured):
            break
    torch.set_num_threads(threads)
    return [s / n for s, n in zip(spent, taken, strict=True)]


def _turn(trainer: assemble.Trainer, first: int) -> float:
    started = time.perf_counter()
    for step in range(first, first + TURN):
        float(trainer.step(step)["g_loss"])  # waits for the device
    return time.perf_counter() - started


def new_folder(variants: Sequence[Variant], names: Sequence[str]) -> Path:
    """A folder under races/ for a race that varies those options, made now."""
    dataset = variants[0].run.dataset.name
    return made_folder("-".join([dataset, *dict.fromkeys(names)]))


def made_folder(name: str) -> Path:
    """A folder races/name-1, or the next number that nobody has, made now."""
    for number in itertools.count(1):
        folder = Path("races", f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise GankitError(f"cannot make {folder}: {error.strerror}") from error
        return folder
    raise AssertionError("there is always another number")
