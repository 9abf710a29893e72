"""The factors of each flower: one of 36 modes, and everything else that varies."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

COUNTS = (4, 5, 6, 7, 8, 9)
GOLD = ((125, 50, 5), (255, 208, 45))
BROWN = ((34, 14, 8), (132, 72, 34))
# The petals from their dark base to their tips, then the centre. Only leaves are green.
COLOURS = {
    "red": ((92, 0, 10), (242, 36, 34), *GOLD),
    "yellow": ((200, 100, 0), (255, 224, 56), *BROWN),
    "white": ((136, 140, 152), (252, 250, 245), *GOLD),
    "pink": ((155, 20, 95), (255, 142, 200), *GOLD),
    "violet": ((54, 12, 106), (162, 92, 232), *GOLD),
    "blue": ((8, 28, 116), (76, 146, 255), *GOLD),
}
MAX_PETALS = COUNTS[-1]
NUM_LEAVES = 3


class Factors(NamedTuple):
    """What determines a picture; lengths are shares of its width, angles are in full turns."""

    petals: Any
    colour: Any  # its name; while drawing, its index in COLOURS
    size: Any  # diameter
    angle: Any  # direction of the first petal
    x: Any  # centre, 0 left to 1 right
    y: Any  # centre, 0 top to 1 bottom
    plump: Any  # half a petal's width in petal spacings; above 0.5, petals overlap
    blunt: Any  # 0: a round petal, 1: a petal with a broad tip
    tilt: Any  # how much the flower is foreshortened
    lean: Any  # in which direction it is foreshortened
    shadow: Any  # direction in which the shadow falls
    shade: Any  # brightness of the petals
    disc: Any  # radius of the centre as a share of the flower's radius
    leaf_hue: Any  # 0 blue-green, 1 yellow-green
    leaf_light: Any  # brightness of the leaves


# Limits of the uniform draws; x and y are distances from the middle.
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


def splitmix64(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele et al. 2014): a hash of each number."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def uniform_draws(seed: int, indices: Sequence[int], count: int) -> Floats:
    """Uniform numbers (count, N, 1, 1) in [0, 1), each a function of (seed, index, row)."""
    step = np.uint64(0x9E3779B97F4A7C15)
    start = splitmix64(np.array([seed % 2**64], np.uint64))
    pictures = splitmix64(start + (np.array(indices, np.uint64) + np.uint64(1)) * step)
    bits = splitmix64(pictures + np.arange(1, count + 1, dtype=np.uint64)[:, None] * step)
    return ((bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24))[..., None, None]


def draw_factors(seed: int, indices: Sequence[int]) -> tuple[Factors, Floats, Floats]:
    """The factors (N, 1, 1) of N pictures, and what varies between their petals and leaves.

    Per petal (2, MAX_PETALS, N): length and bend. Per leaf (NUM_LEAVES, 5, N, 1, 1): left, top,
    turn, width and tone.
    """
    num_draws = 1 + len(RANGES) + 2 * MAX_PETALS + 5 * NUM_LEAVES
    mode, *rest = uniform_draws(seed, indices, num_draws)
    colour, petals = np.divmod(np.minimum(mode * 36, 35).astype(int), len(COUNTS))
    values = {}
    for (name, (low, high)), draw in zip(RANGES.items(), rest, strict=False):
        values[name] = low + (high - low) * draw
    margin = 0.5 - values["size"] / 2  # the whole flower stays in the picture
    for axis in ("x", "y"):
        values[axis] = 0.5 + np.clip(values[axis], -margin, margin)
    per_petal, per_leaf = np.split(np.array(rest[len(RANGES) :]), [2 * MAX_PETALS])
    factors = Factors(petals=(petals + COUNTS[0]).astype(np.float32), colour=colour, **values)
    return (
        factors,
        per_petal.reshape(2, MAX_PETALS, -1),
        per_leaf.reshape(NUM_LEAVES, 5, -1, 1, 1),
    )
