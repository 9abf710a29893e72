"""The metric `modes`: how many of the 36 kinds of petals G draws, and how evenly."""

from __future__ import annotations

import math
from typing import Any, SupportsInt

import numpy as np

from gankit import Metric
from gankit_flowers.factors import COLOURS, COUNTS
from gankit_flowers.recognise import recognise

MODES = len(COUNTS) * len(COLOURS)
MIN_SHARE = 0.2  # a kind counts as drawn from this share of its even part on


class Modes(Metric):
    """How many kinds of petals G draws, weighted by how often: 36 if all are equally frequent.

    The number is exp(entropy) of the kinds: 18 if G draws half of them evenly, less if it prefers
    some of them. The petals are counted and the colours measured without a network. Pictures that
    are too unclear for this are left out, and their share is reported.
    """

    better = "higher"
    bounds = (0.0, float(MODES))
    enough = 10 * MODES
    datasets = ("petals",)
    at_the_floor = "draws the kinds as evenly as the data set has them"

    def features(self, pictures: Any) -> Any:
        """(N,): the kind of each picture, 0 to 35, or -1 if the picture is unclear."""
        if pictures.shape[3] != 3:
            raise ValueError("needs pictures in colour, and these are grey")
        if pictures.shape[1] != pictures.shape[2]:
            raise ValueError("needs whole petals, and pictures that are not square cut them off")
        flowers = recognise(pictures)
        kinds = flowers.colour * len(COUNTS) + flowers.count - COUNTS[0]
        return np.where(flowers.sure, kinds, -1)

    def score(self, state: Any, generated: Any, reference: Any) -> float:
        counts = _count_kinds(state[0][generated])
        if not counts.any():
            return 0.0
        shares = counts[counts > 0] / counts.sum()
        return math.exp(-float((shares * np.log(shares)).sum()))

    def describe(self, state: Any) -> str:
        kinds = state[0]
        min_count = max(MIN_SHARE * len(kinds) / MODES, 1)
        missing = [kind_name(kind) for kind in np.flatnonzero(_count_kinds(kinds) < min_count)]
        listed = f", without {', '.join(missing[:6])}" if missing else ""
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        unclear = (kinds < 0).mean()
        return f"{MODES - len(missing)} of {MODES} kinds{listed}{more}; {unclear:.1%} unclear"


def _count_kinds(kinds: Any) -> Any:
    """(MODES,): how many pictures show each kind."""
    return np.bincount(kinds[kinds >= 0], minlength=MODES)


def kind_name(kind: SupportsInt) -> str:
    """`red 5`: the colour and the number of petals of a kind."""
    colour, count = divmod(int(kind), len(COUNTS))
    return f"{tuple(COLOURS)[colour]} {COUNTS[count]}"
