"""Finding: one thing that `gankit data check` found, and what to do about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Finding:
    """One finding; its level is "problem", "advice" or "fine"."""

    level: str
    what: str  # what was found
    mend: str = ""  # what to do about it: an option or an action
    flags: tuple[str, ...] = ()  # options of gankit run, for the command under "Try"
    names: tuple[str, ...] = ()  # of the pictures


LEVELS = ("problem", "advice", "fine")


def count(number: int, word: str = "picture") -> str:
    """`1 picture`, `2,500 pictures`."""
    plural = {"class": "classes", "copy": "copies", "patch": "patches"}.get(word, word + "s")
    return f"{number:,} {word if number == 1 else plural}"


def percent(share: float) -> str:
    """`<1 %`, `12 %`."""
    return "<1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def count_share(mask: NDArray[np.bool_], verb: str) -> str:
    """`1 picture of 20 (5 %) is`, `3 pictures of 20 (15 %) are`."""
    number = int(mask.sum())
    singular = {"are": "is", "have": "has"}.get(verb, verb + "s")
    share = percent(number / len(mask))
    return f"{count(number)} of {len(mask):,} ({share}) {singular if number == 1 else verb}"
