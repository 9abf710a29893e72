"""What a program consists of: a few operations on maps, with their numbers as numpy arrays.

A map has the shape (channels, height, width); z is the map (latent_dim, 1, 1). In memory, channels
come last: (N, height, width, channels). Value 0 of a program is z, and value n the result of its
operation n - 1.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Shape = tuple[int, int, int]  # channels, height, width


@dataclass
class Phase:
    """The convolution that computes the pixels (scale * i + row, scale * j + column) of a map.

    taps: the offsets (dy, dx) from position (i, j) of the input map; weights (taps, channels of the
    input, channels of the output).
    """

    taps: tuple[tuple[int, int], ...]
    weights: Array


@dataclass
class Operation:
    """One operation, see `KINDS`; the activation is applied to its result.

    inputs: the values that it reads. settings: plain numbers and words. arrays: float32.
    """

    kind: str
    inputs: tuple[int, ...]
    shape: Shape
    settings: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    activation: str = ""
    slope: float = 0.0  # of leaky ReLU


KINDS = {
    "convolve": "each phase is a convolution of stride 1; then times `factors`, plus `bias`",
    "affine": "each channel times `factors`, plus `bias`",
    "add": "the sum of two maps; the second may be one number for each channel",
    "multiply": "the product of two maps; the second may be one number for each channel",
    "constant": "a map that does not depend on z: `values`",
    "upsample": "`factor` times as large, `mode` nearest or bilinear (as PyTorch without corners)",
    "pool": "the means of squares of `factor` by `factor` pixels",
    "reshape": "the same numbers, in PyTorch's order (channels, height, width), as another shape",
    "slice": "the channels from `start`",
    "concatenate": "the channels of the first map, then those of the second",
    "shuffle": "depth to space: channels become squares of `factor` by `factor` pixels",
}
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "silu")
