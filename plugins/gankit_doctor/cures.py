"""Changes of a run's settings that cure it: fields of Run and their new values."""

from __future__ import annotations

from typing import Any

from gankit.core.choice import Choice
from gankit.core.settings import Run
from gankit.training import combine

Options = dict[str, Any]
SMALL_Z = 8  # numbers in z, below which they limit how many pictures there are
BOUNDS = ("spectral-norm", "wgan-gp", "dragan", "r1", "r2", "lecam", "weight-clipping")


def scale_rate(run: Run, factor: float, *players: str) -> Options:
    """Other learning rates for these players, "d" and "g", rounded to two digits."""
    return {
        f"lr_{player}": float(f"{min(getattr(run, f'lr_{player}') * factor, 0.05):.2g}")
        for player in players
    }


def add_tricks(run: Run, *texts: str) -> Options:
    """The run's tricks and more; one of the same name is replaced."""
    tricks = combine.add_tricks(run.tricks, [f"+{text}" for text in texts])
    return {"tricks": tuple(map(Choice.parse, tricks))}


def drop_tricks(run: Run, *names: str) -> Options:
    """The run's tricks without those of these names."""
    return {"tricks": tuple(trick for trick in run.tricks if trick.name not in names)}


def option_of(trick: Choice, name: str, default: float) -> float:
    """The value of a trick's option; the default if it was not given, or is not a number."""
    value = trick.options.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def is_bounded(run: Run) -> bool:
    """Whether a trick, or the model, limits how steep D can be."""
    names = {trick.name for trick in run.tricks}
    return bool(names & set(BOUNDS))
