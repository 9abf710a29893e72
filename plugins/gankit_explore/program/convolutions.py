"""Convolutions and transposed convolutions of PyTorch as phases, which are all of stride 1."""

from itertools import product

import numpy as np

from gankit_explore.program.operations import Array, Phase

Pair = tuple[int, int]


def ungrouped(weight: Array, groups: int) -> Array:
    """The weights of a convolution in groups as one without: zeros between the groups."""
    if groups == 1:
        return weight
    parts = np.split(weight, groups)
    inner = weight.shape[1]
    full = np.zeros((len(weight), groups * inner, *weight.shape[2:]), np.float32)
    rows = len(weight) // groups
    for number, part in enumerate(parts):
        full[number * rows : (number + 1) * rows, number * inner : (number + 1) * inner] = part
    return full


def plain_phases(weight: Array, padding: Pair, dilation: Pair) -> list[Phase]:
    """The one phase of a convolution; weight (out, in, height, width)."""
    rows, columns = weight.shape[2:]
    places = list(product(range(rows), range(columns)))
    taps = tuple((y * dilation[0] - padding[0], x * dilation[1] - padding[1]) for y, x in places)
    return [Phase(taps, np.stack([weight[:, :, y, x].T for y, x in places]))]


def transposed_phases(weight: Array, stride: int, padding: Pair, dilation: Pair) -> list[Phase]:
    """A phase for each of stride x stride neighbouring pixels; weight (in, out, height, width).

    A transposed convolution adds input i times weight k to output stride * i - padding + dilation *
    k. So output stride * j + phase reads inputs j + (phase + padding - dilation * k) / stride, for
    each k for which that is a whole number.
    """
    rows, columns = (
        [_offsets(size, phase, stride, padding[axis], dilation[axis]) for phase in range(stride)]
        for axis, size in enumerate(weight.shape[2:])
    )
    return [_phase(weight, row, column) for row, column in product(rows, columns)]


def enlarged_phases(plain: Phase, factor: int) -> list[Phase]:
    """The phases of a plain convolution that follows nearest-neighbour upsampling by `factor`.

    Taps that read the same small pixel become one: of 3 x 3 taps, 2 x 2 are left if factor is 2.
    """
    phases = []
    for row, column in product(range(factor), repeat=2):
        sums: dict[Pair, Array] = {}
        for (dy, dx), weights in zip(plain.taps, plain.weights, strict=True):
            tap = ((row + dy) // factor, (column + dx) // factor)
            sums[tap] = sums.get(tap, np.float32(0)) + weights
        phases.append(Phase(tuple(sums), np.stack(list(sums.values()))))
    return phases


def _offsets(size: int, phase: int, stride: int, padding: int, dilation: int) -> list[Pair]:
    """(k, offset) of the weights that reach this phase along one axis."""
    steps = [(k, phase + padding - dilation * k) for k in range(size)]
    return [(k, distance // stride) for k, distance in steps if distance % stride == 0]


def _phase(weight: Array, rows: list[Pair], columns: list[Pair]) -> Phase:
    taps = tuple((dy, dx) for (_, dy), (_, dx) in product(rows, columns))
    if not taps:  # a stride above the size of the kernel leaves gaps
        return Phase(((0, 0),), np.zeros((1, *weight.shape[:2]), np.float32))
    picked = [weight[:, :, y, x] for (y, _), (x, _) in product(rows, columns)]
    return Phase(taps, np.stack(picked))
