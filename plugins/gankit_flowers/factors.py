"""What decides each flower: 36 modes, what else varies, and how both follow from an index."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

COUNTS = (4, 5, 6, 7, 8, 9)
GOLD, BROWN = ((125, 50, 5), (255, 208, 45)), ((34, 14, 8), (132, 72, 34))
# From the petals' dark base to their tips, then the centre. Green is left to the leaves.
COLOURS = {
    "red": ((92, 0, 10), (242, 36, 34), *GOLD),
    "yellow": ((200, 100, 0), (255, 224, 56), *BROWN),
    "white": ((136, 140, 152), (252, 250, 245), *GOLD),
    "pink": ((155, 20, 95), (255, 142, 200), *GOLD),
    "violet": ((54, 12, 106), (162, 92, 232), *GOLD),
    "blue": ((8, 28, 116), (76, 146, 255), *GOLD),
}
PETALS, LEAVES = COUNTS[-1], 3  # at most


class Factors(NamedTuple):
    """What decides one picture; lengths are shares of the picture's width, angles are turns."""

    petals: Any
    colour: Any  # while drawing, its place in COLOURS
    size: Any  # diameter
    angle: Any  # direction of the first petal
    x: Any  # centre, 0 left to 1 right
    y: Any  # centre, 0 top to 1 bottom
    plump: Any  # half a petal's width in petal spacings: above 0.5 neighbours overlap
    blunt: Any  # 0 a round petal, 1 one with a broad tip
    tilt: Any  # by how much the flower is foreshortened
    lean: Any  # ... and in which direction
    shadow: Any  # direction in which the shadow falls
    shade: Any  # brightness of the petals
    disc: Any  # radius of the centre as a share of the flower's radius
    leaf_hue: Any  # 0 blue-green, 1 yellow-green
    leaf_light: Any  # brightness of the leaves


# Lowest and highest of the uniform draws; x and y are moves from the middle.
RANGES = {
    "size": (0.66, 0.86),
    "angle": (0, 1),
    "x": (-0.08, 0.08),
    "y": (-0.08, 0.08),
    "plump": (0.45, 0.66),
    "blunt": (0, 0.8),
    "tilt": (0, 0.12),
    "lean": (0, 1),
    "shadow": (0, 1),
    "shade": (-0.08, 0.08),
    "disc": (0.22, 0.30),
    "leaf_hue": (0, 1),
    "leaf_light": (0.75, 1.35),
}


def mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele et al. 2014): neighbouring inputs, unrelated outputs."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def draws(seed: int, indices: Sequence[int], count: int) -> Floats:
    """Uniform numbers (count, N, 1, 1) in [0, 1): functions of seed, index and row, no more."""
    step = np.uint64(0x9E3779B97F4A7C15)
    start = mixed(np.array([seed % 2**64], np.uint64))
    pictures = mixed(start + (np.array(indices, np.uint64) + np.uint64(1)) * step)
    bits = mixed(pictures + np.arange(1, count + 1, dtype=np.uint64)[:, None] * step)
    return ((bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24))[..., None, None]


def plan(seed: int, indices: Sequence[int]) -> tuple[Factors, Floats, Floats]:
    """N pictures: their factors (N, 1, 1), what makes each petal differ, and each leaf."""
    mode, *spread = draws(seed, indices, 1 + len(RANGES) + 2 * PETALS + 5 * LEAVES)
    colour, petals = np.divmod(np.minimum(mode * 36, 35).astype(int), len(COUNTS))
    values = {
        name: low + (high - low) * share
        for (name, (low, high)), share in zip(RANGES.items(), spread, strict=False)
    }
    room = 0.5 - values["size"] / 2  # the whole flower stays in the picture
    for axis in ("x", "y"):
        values[axis] = 0.5 + np.clip(values[axis], -room, room)
    each, leaves = np.split(np.array(spread[len(RANGES) :]), [2 * PETALS])
    factors = Factors(petals=(petals + COUNTS[0]).astype(np.float32), colour=colour, **values)
    return factors, each.reshape(2, PETALS, -1), leaves.reshape(LEAVES, 5, -1, 1, 1)
