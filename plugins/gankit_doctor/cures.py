"""Changes of a run's settings that cure it: fields of Run and their new values."""

from __future__ import annotations

from typing import Any

from gankit.core.choice import Choice
from gankit.core.seen import Seen
from gankit.core.settings import Run
from gankit.training import combine

Options = dict[str, Any]
SMALL_Z = 8  # numbers in z, below which they limit how many pictures there are
LONG_MOMENTUM = 0.8
JUMPS = 0.42  # change of a picture between looks, above which pictures jump
USUAL_RATE = 4e-4  # the default of gankit run
UNEVEN = ("dcgan", "mathworks", "tf-dcgan")  # generators of transposed convolutions
FEW_PICTURES = (
    "Show D more variants of each picture, and draw with an average of G, as recipe small-data "
    "does. More pictures help most."
)
FASTER = 8.0  # times that D learns as fast as G: it is ahead in any case
STILL = 0.003  # change of a picture between looks, below which pictures are frozen
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


def equal_rates(run: Run, divisor: float = 2.0) -> Options:
    """One usual learning rate for both players, or G's divided by this if that is lower."""
    rate = float(f"{min(run.lr_g / divisor, USUAL_RATE):.2g}")
    return {"lr_g": rate, "lr_d": max(rate, min(run.lr_d, USUAL_RATE))}


def for_few_pictures(run: Run) -> Options:
    """What helps most with few pictures: more variants of each, an average of G, an even G."""
    names = {trick.name for trick in run.tricks}
    additions = {"diffaugment": "diffaugment", "ema": "ema:decay=0.99"}
    missing = [text for name, text in additions.items() if name not in names]
    options = {**add_tricks(run, *missing), "flip": True}
    if run.generator.name in UNEVEN:
        kept = {"base_channels"} & set(run.generator.options)
        options["generator"] = Choice(
            "dcgan-skip", {name: run.generator.options[name] for name in kept}
        )
    return options


def option_of(trick: Choice, name: str, default: float) -> float:
    """The value of a trick's option; the default if it was not given, or is not a number."""
    value = trick.options.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def is_frozen(seen: Seen) -> bool:
    """Whether pictures are drawn with an average of G's weights that does not move."""
    return seen.trick("ema") is not None and seen.last("turnover", 5) < STILL


def has_long_momentum(seen: Seen) -> bool:
    """Whether --beta1 is so high that the players run past each other, and pictures jump."""
    return seen.run.beta1 > LONG_MOMENTUM and seen.last("turnover", 5) > JUMPS


def d_races(run: Run) -> bool:
    """Whether D learns so much faster than G that all else may come from that."""
    return run.lr_d * run.d_steps > FASTER * run.lr_g


def is_bounded(run: Run) -> bool:
    """Whether a trick, or the model, limits how steep D can be."""
    names = {trick.name for trick in run.tricks}
    return bool(names & set(BOUNDS))
