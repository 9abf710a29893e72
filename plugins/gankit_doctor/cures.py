"""Changes of a run's settings that cure it: fields of Run and their new values."""

from __future__ import annotations

import dataclasses
from typing import Any

from gankit.core.choice import Choice
from gankit.core.settings import Run
from gankit.training import combine

Options = dict[str, Any]
SMALL_Z = 8  # numbers in z, below which they limit how many pictures there are
USUAL_RATE = 4e-4  # the default of gankit run
UNEVEN = ("dcgan", "mathworks", "tf-dcgan")  # generators of transposed convolutions
SHIFTS = "diffaugment:policy=translation"
ZOOM = 1.5
VARIANTS = (
    "Show D more variants of each picture: shifted, mirrored, and a random part of it. And draw "
    "with an average of G. More pictures help most."
)
MORE_PICTURES = (
    "Collect more pictures, or begin with a run that has seen others (--init RUN): this run shows "
    "D many variants of each picture already."
)


def scale_rate(run: Run, factor: float, *players: str) -> Options:
    """Other learning rates for these players, "d" and "g", rounded to two digits."""
    return {
        f"lr_{player}": float(f"{min(getattr(run, f'lr_{player}') * factor, 0.05):.2g}")
        for player in players
    }


def add_tricks(run: Run, *texts: str) -> Options:
    """The run's tricks and more; one of the same name is replaced."""
    if not texts:
        return {}
    tricks = combine.add_tricks(run.tricks, [f"+{text}" for text in texts])
    return {"tricks": tuple(map(Choice.parse, tricks))}


def drop_tricks(run: Run, *names: str) -> Options:
    """The run's tricks without those of these names."""
    return {"tricks": tuple(trick for trick in run.tricks if trick.name not in names)}


def equal_rates(run: Run) -> Options:
    """One usual learning rate for both players, or half of G's if that is lower."""
    rate = float(f"{min(run.lr_g / 2, USUAL_RATE):.2g}")
    return {"lr_g": rate, "lr_d": max(rate, min(run.lr_d, USUAL_RATE))}


def one_d_step(run: Run) -> Options:
    """One update of D in each step, and as many updates of both players in all."""
    return {"d_steps": 1, "steps": round(run.steps * (run.d_steps + 1) / 2)}


def for_few_pictures(run: Run) -> Options:
    """What helps most with few pictures: more variants of each, an average of G, an even G.

    Shifts and zoom are enough in most cases, and G learns faster than with all of `diffaugment`.
    `ada` shifts pictures, too, and excludes `diffaugment`.
    """
    policies = {t.name: str(t.options.get("policy", SHIFTS)) for t in run.tricks}
    missing = [] if "ema" in policies else ["ema:decay=0.99"]
    if not ("ada" in policies or "translation" in policies.get("diffaugment", "")):
        missing.append(SHIFTS)
    options = {**add_tricks(run, *missing), "flip": True, "zoom": max(run.zoom, ZOOM)}
    if run.generator.name in UNEVEN:
        kept = {"base_channels"} & set(run.generator.options)
        options["generator"] = Choice(
            "dcgan-skip", {name: run.generator.options[name] for name in kept}
        )
    return options


def few_pictures_cure(run: Run) -> str:
    """The changes of `for_few_pictures` in words."""
    changes = for_few_pictures(run)
    return VARIANTS if dataclasses.replace(run, **changes) != run else MORE_PICTURES


def option_of(trick: Choice, name: str, default: float) -> float:
    """The value of a trick's option; the default if it was not given, or is not a number."""
    value = trick.options.get(name, default)
    return float(value) if isinstance(value, int | float) else default
