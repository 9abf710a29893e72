"""Penalties of tricks: how heavy they are, and how heavy is usual."""

from __future__ import annotations

from collections.abc import Sequence

from gankit.core.parts.choice import Choice
from gankit.core.run.settings import Run
from gankit_doctor.cures import Options, add_tricks, option_of

WEIGHTS = {  # trick -> its option, its default, and a value that suits small pictures
    "r1": ("gamma", 10.0, 0.1),
    "r2": ("gamma", 10.0, 0.1),
    "wgan-gp": ("weight", 10.0, 10.0),
    "dragan": ("weight", 10.0, 10.0),
    "lecam": ("weight", 0.3, 0.01),
}
HEAVY = 3.0  # times the usual weight, from which on a penalty can make D flat


def times_default(trick: Choice) -> float:
    """How many times as much as its default a penalty weighs."""
    _, default, _ = WEIGHTS[trick.name]
    return _weight_of(trick) / default


def is_heavy(trick: Choice) -> bool:
    """Whether a penalty weighs so much more than usual that it can make D flat."""
    _, _, usual = WEIGHTS[trick.name]
    return _weight_of(trick) > HEAVY * usual


def _weight_of(trick: Choice) -> float:
    key, default, _ = WEIGHTS[trick.name]
    return option_of(trick, key, default)


def interval_of(penalties: Sequence[Choice]) -> float:
    """How many steps lie between two penalties, which are that much stronger; 1 if some differ."""
    intervals = {option_of(trick, "every", 1) for trick in penalties}
    return intervals.pop() if len(intervals) == 1 else 1.0


def make_weaker(run: Run) -> Options:
    """The run's penalties with a usual weight, or with a tenth of theirs if that is less."""
    changes = []
    for trick in run.tricks:
        if trick.name in WEIGHTS:
            key, _, usual = WEIGHTS[trick.name]
            kept = {**trick.options, key: min(usual, _weight_of(trick) / 10)}
            options = ",".join(f"{name}={value:g}" for name, value in kept.items())
            changes.append(f"{trick.name}:{options}")
    return add_tricks(run, *changes)
