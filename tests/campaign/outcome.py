"""What a kind of fault is, one case of it, and what came of the case."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What gankit did in one case."""

    what: str  # in a word or two; these are counted
    complaints: tuple[str, ...] = ()  # what is wrong, one line each; empty if all is right


class Setup(NamedTuple):
    """What `prepare` gets, once before the cases of a kind."""

    folder: Path  # an empty folder, which is deleted at the end
    seed: int
    count: int


class Case(NamedTuple):
    """One case: the same kind, seed and number give the same case."""

    number: int
    rng: random.Random
    folder: Path  # an empty folder, which is kept if something is wrong
    prepared: Any  # what `prepare` returned


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how to try a case of it, and when the outcome is right."""

    name: str
    judged: str  # what the right outcome is: one sentence for docs/reliability.md
    try_case: Callable[[Case], Outcome]  # called in a worker process
    short: int  # cases in pytest
    long: int  # cases in the long form
    prepare: Callable[[Setup], Any] = lambda setup: None  # called once, before the worker starts
    seconds: float = 30.0  # a case that takes longer hangs
    megabytes: int = 1500  # by which the memory of the worker may grow
    is_silent: bool = True  # whether the worker may print nothing
    most: int | None = None  # cases there are, if their number is limited


def make_case(kind: Kind, seed: int, number: int, folder: Path, prepared: Any) -> Case:
    """The case of this number, with its folder."""
    case_folder = folder / f"{kind.name}-{number}"
    shutil.rmtree(case_folder, ignore_errors=True)  # of a worker that was ended
    case_folder.mkdir(parents=True)
    rng = random.Random(f"{kind.name} {seed} {number}")
    return Case(number, rng, case_folder, prepared)
