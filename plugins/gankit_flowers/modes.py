"""Modes: which of the 36 kinds of petals does G draw, and how evenly?"""

from __future__ import annotations

import math
from typing import Any, SupportsInt

import numpy as np

from gankit import Metric
from gankit_flowers.factors import COLOURS, COUNTS
from gankit_flowers.recognise import recognise

MODES = len(COUNTS) * len(COLOURS)
FAIR = 0.2  # a kind is drawn if it comes at least so often, as a share of its fair part


class Modes(Metric):
    """How many kinds of petals G draws, each counted by how often: 36 if all come equally often.

    The number is exp(entropy) of the kinds: 18 if G draws half of them evenly, less where it has
    favourites. Each picture's petals are counted and its colour is read by measuring, without a
    network; those of which neither can be told are left out, and their share is given.
    """

    better = "higher"
    bounds = (0.0, float(MODES))
    enough = 10 * MODES
    datasets = ("petals",)

    def features(self, pictures: Any) -> Any:
        """(N,): the kind of each picture, 0 to 35, or -1 where it cannot be told."""
        if pictures.shape[3] != 3:
            raise ValueError("reads colours, and these pictures are grey")
        read = recognise(pictures)
        kinds = read.colour * len(COUNTS) + read.count - COUNTS[0]
        return np.where(read.sure, kinds, -1)

    def score(self, state: Any, generated: Any, reference: Any) -> float:
        kinds = state[0][generated]
        often = np.bincount(kinds[kinds >= 0], minlength=MODES)
        if not often.any():
            return 0.0
        share = often[often > 0] / often.sum()
        return math.exp(-float((share * np.log(share)).sum()))

    def describe(self, state: Any) -> str:
        kinds = state[0]
        often = np.bincount(kinds[kinds >= 0], minlength=MODES)
        fair = FAIR * len(kinds) / MODES
        missing = [named(kind) for kind in np.flatnonzero(often < max(fair, 1))]
        lost = f", without {', '.join(missing[:6])}" if missing else ""
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        unclear = (kinds < 0).mean()
        return f"{MODES - len(missing)} of {MODES} kinds{lost}{more}; {unclear:.1%} unclear"


def named(kind: SupportsInt) -> str:
    """`red 5`: the colour and the petals of a kind."""
    colour, count = divmod(int(kind), len(COUNTS))
    return f"{tuple(COLOURS)[colour]} {COUNTS[count]}"
