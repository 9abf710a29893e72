"""Runs a program with numpy, for checks and tests; the engine does the same in a page."""

from collections.abc import Callable

import numpy as np

from gankit_explore.program.operations import Array, Operation


def run_operation(operation: Operation, inputs: list[Array]) -> Array:
    """The result (N, height, width, channels) of inputs of such shapes."""
    result = _RUN[operation.kind](operation, *inputs)
    return _activate(operation, result)


def _activate(operation: Operation, x: Array) -> Array:
    kind = operation.activation
    if kind == "relu":
        return np.maximum(x, 0)
    if kind == "leaky_relu":
        return np.maximum(x, 0) + np.minimum(x, 0) * np.float32(operation.slope)
    if kind == "tanh":
        return np.tanh(x)
    if kind == "sigmoid":
        return _sigmoid(x)
    if kind == "silu":
        return x * _sigmoid(x)
    return x


def _sigmoid(x: Array) -> Array:
    half = np.float32(0.5)
    result: Array = half * np.tanh(half * x) + half
    return result


def _convolve(operation: Operation, x: Array) -> Array:
    channels, height, width = operation.shape
    scale = operation.settings["scale"]
    result = np.empty((len(x), height, width, channels), np.float32)
    for number, phase in enumerate(operation.phases):
        row, column = divmod(number, scale)
        part = result[:, row::scale, column::scale]
        part[...] = 0
        for (dy, dx), weights in zip(phase.taps, phase.weights, strict=True):
            part += _window(x, dy, dx, part.shape[1], part.shape[2]) @ weights
    return result * operation.arrays["factors"] + operation.arrays["bias"]


def _window(x: Array, top: int, left: int, height: int, width: int) -> Array:
    """The part of maps (N, H, W, C) that begins at (top, left); zeros outside of the maps."""
    below = max(0, top + height - x.shape[1])
    beyond = max(0, left + width - x.shape[2])
    padded = np.pad(x, ((0, 0), (max(0, -top), below), (max(0, -left), beyond), (0, 0)))
    return padded[:, max(0, top) :, max(0, left) :][:, :height, :width]


def _affine(operation: Operation, x: Array) -> Array:
    return x * operation.arrays["factors"] + operation.arrays["bias"]


def _add(operation: Operation, x: Array, y: Array) -> Array:
    return x + y


def _multiply(operation: Operation, x: Array, y: Array) -> Array:
    return x * y


def _constant(operation: Operation) -> Array:
    return operation.arrays["values"][None]


def _upsample(operation: Operation, x: Array) -> Array:
    factor = operation.settings["factor"]
    if operation.settings["mode"] == "nearest":
        return x.repeat(factor, 1).repeat(factor, 2)
    return _bilinear(_bilinear(x, 1), 2)


def _bilinear(x: Array, axis: int) -> Array:
    """Twice as long: each new place is 3/4 of the nearer old one and 1/4 of the other."""
    last = x.shape[axis] - 1
    places = np.arange(last + 1)
    before = x.take(np.maximum(places - 1, 0), axis)
    after = x.take(np.minimum(places + 1, last), axis)
    pairs = np.stack([x * 0.75 + before * 0.25, x * 0.75 + after * 0.25], axis + 1)
    shape = list(x.shape)
    shape[axis] *= 2
    return pairs.reshape(shape).astype(np.float32)


def _pool(operation: Operation, x: Array) -> Array:
    factor = operation.settings["factor"]
    count, height, width, channels = x.shape
    shape = (count, height // factor, factor, width // factor, factor, channels)
    means: Array = x.reshape(shape).mean((2, 4), dtype=np.float32)
    return means


def _reshape(operation: Operation, x: Array) -> Array:
    return x.transpose(0, 3, 1, 2).reshape(len(x), *operation.shape).transpose(0, 2, 3, 1)


def _slice(operation: Operation, x: Array) -> Array:
    start = operation.settings["start"]
    return x[..., start : start + operation.shape[0]]


def _concatenate(operation: Operation, x: Array, y: Array) -> Array:
    return np.concatenate([x, y], 3)


def _shuffle(operation: Operation, x: Array) -> Array:
    factor = operation.settings["factor"]
    count, height, width, _ = x.shape
    squares = x.reshape(count, height, width, operation.shape[0], factor, factor)
    rows = squares.transpose(0, 1, 4, 2, 5, 3)
    return rows.reshape(count, height * factor, width * factor, operation.shape[0])


_RUN: dict[str, Callable[..., Array]] = {
    "convolve": _convolve,
    "affine": _affine,
    "add": _add,
    "multiply": _multiply,
    "constant": _constant,
    "upsample": _upsample,
    "pool": _pool,
    "reshape": _reshape,
    "slice": _slice,
    "concatenate": _concatenate,
    "shuffle": _shuffle,
}
