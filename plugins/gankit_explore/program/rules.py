"""How each operation of PyTorch becomes operations of a program."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from gankit_explore.program.arithmetic import (
    add,
    divide,
    multiply,
    negate,
    subtract,
    subtract_from,
)
from gankit_explore.program.build import Builder, Unknown, Value, map_shape
from gankit_explore.program.convolutions import (
    enlarged_phases,
    plain_phases,
    transposed_phases,
    ungrouped,
)
from gankit_explore.program.operations import Array, Phase

Numbers = int | Sequence[int]


def _pair(given: Numbers) -> tuple[int, int]:
    first, last = (given, given) if isinstance(given, int) else (given[0], given[-1])
    return first, last


def _require(fits: bool, otherwise: str) -> None:
    if not fits:
        raise Unknown(otherwise)


def _array(tensor: Any) -> Array:
    _require(isinstance(tensor, Tensor), "its weights depend on z")
    return np.asarray(tensor.float().numpy(), np.float32)


def _linear(build: Builder, x: Value, weight: Tensor, bias: Tensor | None = None) -> Value:
    _require(build.shape(x)[1:] == (1, 1), "it is not applied to vectors")
    phase = Phase(((0, 0),), _array(weight).T[None])
    return _convolution(build, x, [phase], 1, bias)


def _addmm(build: Builder, bias: Tensor, x: Value, weight: Tensor) -> Value:
    return _linear(build, x, weight.T, bias)


def _matmul(build: Builder, x: Value, weight: Tensor) -> Value:
    _require(isinstance(x, Value) and isinstance(weight, Tensor), "its weights depend on z")
    return _linear(build, x, weight.T)


def _convolution(
    build: Builder, x: Value, phases: list[Phase], scale: int, bias: Tensor | None
) -> Value:
    shape = map_shape(build.result_shape)
    factors = np.ones(shape[0], np.float32)
    arrays = {"factors": factors, "bias": factors * 0 if bias is None else _array(bias)}
    settings = {"scale": scale}
    return build.add("convolve", (x,), shape, settings=settings, arrays=arrays, phases=phases)


def _conv2d(
    build: Builder,
    x: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Value:
    _require(_pair(stride) == (1, 1), "with a stride")
    dense = ungrouped(_array(weight), groups)
    steps = _pair(dilation)
    if isinstance(padding, str):
        sizes = dense.shape[2:] if padding == "same" else (1, 1)
        padding = [step * (size - 1) // 2 for size, step in zip(sizes, steps, strict=True)]
    phases = plain_phases(dense, _pair(padding), steps)
    source = build.nearest_source(x)
    if source is None:
        return _convolution(build, x, phases, 1, bias)
    small, factor = source
    return _convolution(build, small, enlarged_phases(phases[0], factor), factor, bias)


def _conv_transpose2d(
    build: Builder,
    x: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Value:
    rows, columns = _pair(stride)
    if build.shape(x)[1:] == (1, 1):  # one pixel: all of its pictures' pixels are phases
        rows, columns = build.result_shape[2:]
        if rows != columns and (rows, columns) == tuple(weight.shape[2:]):
            return _spread_pixel(build, x, ungrouped(_array(weight), groups), bias)
    _require(rows == columns, "with a stride that differs between rows and columns")
    dense = ungrouped(_array(weight), groups)
    phases = transposed_phases(dense, rows, _pair(padding), _pair(dilation))
    return _convolution(build, x, phases, rows, bias)


def _spread_pixel(build: Builder, x: Value, weight: Array, bias: Tensor | None) -> Value:
    """A transposed convolution of one pixel to an oblong map; weight (in, out, height, width).

    A phase for each pixel would need as many rows as columns, so the map is a dense layer's result.
    """
    inner, channels, rows, columns = weight.shape
    numbers = channels * rows * columns
    biases = np.zeros(channels, np.float32) if bias is None else _array(bias)
    arrays = {
        "factors": np.ones(numbers, np.float32),
        "bias": np.repeat(biases, rows * columns),
    }
    phase = Phase(((0, 0),), weight.reshape(1, inner, numbers))
    dense = build.add(
        "convolve", (x,), (numbers, 1, 1), settings={"scale": 1}, arrays=arrays, phases=[phase]
    )
    return build.add("reshape", (dense,), (channels, rows, columns))


def _batch_norm(
    build: Builder,
    x: Value,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float,
    epsilon: float,
) -> list[Value]:
    factors = 1 / np.sqrt(_array(variance) + np.float32(epsilon))
    if weight is not None:
        factors = factors * _array(weight)
    shift = 0 if bias is None else _array(bias)
    return [build.scaled(x, factors, shift - _array(mean) * factors)]


def _activation(build: Builder, x: Value, slope: float = 0.0, *, kind: str) -> Value:
    return build.activated(x, kind, slope)


def _leaky_relu(build: Builder, x: Value, slope: float = 0.01) -> Value:
    return build.activated(x, "leaky_relu", slope)


def _same(build: Builder, x: Value, *options: Any, **more: Any) -> Value:
    return x


def _dropout(build: Builder, x: Value, share: float, train: bool) -> Value:
    _require(not train, "while it trains")
    return x


def _reshape(build: Builder, x: Value, *shape: Any) -> Value:
    before = build.shape(x)
    after = map_shape(build.result_shape)
    if before == after or before[1:] == after[1:] == (1, 1):
        return x
    return build.add("reshape", (x,), after)


def _getitem(build: Builder, values: list[Value], index: int) -> Value:
    return values[index]


def _split(build: Builder, x: Value, size: int | list[int], axis: int = 0) -> list[Value]:
    channels = build.shape(x)[0]
    _require(axis == 1, "along another axis than the channels")
    sizes = [size] * (channels // size) if isinstance(size, int) else size
    _require(sum(sizes) == channels, "into parts of different sizes")
    starts = np.cumsum([0, *sizes[:-1]])
    return [_slice_channels(build, x, int(a), b) for a, b in zip(starts, sizes, strict=True)]


def _slice_channels(build: Builder, x: Value, start: int, count: int) -> Value:
    shape = (count, *build.shape(x)[1:])
    return build.add("slice", (x,), shape, settings={"start": start})


def _slice(
    build: Builder,
    x: Value,
    axis: int = 0,
    start: int | None = 0,
    end: int | None = None,
    step: int = 1,
) -> Value:
    before = build.shape(x)
    after = map_shape(build.result_shape)
    if before == after:
        return x
    _require(axis == 1 and step == 1, "along another axis than the channels")
    first = start or 0
    return _slice_channels(build, x, first + before[0] * (first < 0), after[0])


def _glu(build: Builder, x: Value, axis: int = -1) -> Value:
    half = build.shape(x)[0] // 2
    values, gates = _split(build, x, half, axis)
    return build.add("multiply", (values, build.activated(gates, "sigmoid")), build.shape(values))


def _concatenate(build: Builder, values: list[Value], axis: int = 0) -> Value:
    _require(axis == 1, "along another axis than the channels")
    first, *others = values
    for other in others:
        channels = build.shape(first)[0] + build.shape(other)[0]
        shape = (channels, *build.shape(other)[1:])
        first = build.add("concatenate", (first, other), shape)
    return first


def _upsample(build: Builder, x: Value, *options: Any, mode: str, corners: bool = False) -> Value:
    before = build.shape(x)
    after = map_shape(build.result_shape)
    factor = after[1] // before[1]
    _require(after[1:] == (before[1] * factor, before[2] * factor), "by a factor that is not whole")
    if mode == "bilinear":
        _require(factor == 2 and options[1] is False, "by another factor than 2")
    return build.add("upsample", (x,), after, settings={"factor": factor, "mode": mode})


def _pool(build: Builder, x: Value, *options: Any) -> Value:
    before = build.shape(x)
    after = map_shape(build.result_shape)
    factor = before[1] // after[1]
    _require(before[1:] == (after[1] * factor, after[2] * factor), "by a factor that is not whole")
    return x if factor == 1 else build.add("pool", (x,), after, settings={"factor": factor})


def _pixel_shuffle(build: Builder, x: Value, factor: int) -> Value:
    return build.add("shuffle", (x,), map_shape(build.result_shape), settings={"factor": factor})


RULES: dict[str, Callable[..., Any]] = {
    "linear": _linear,
    "addmm": _addmm,
    "mm": _matmul,
    "matmul": _matmul,
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "relu": partial(_activation, kind="relu"),
    "leaky_relu": _leaky_relu,
    "tanh": partial(_activation, kind="tanh"),
    "sigmoid": partial(_activation, kind="sigmoid"),
    "silu": partial(_activation, kind="silu"),
    "glu": _glu,
    "add": add,
    "sub": subtract,
    "rsub": subtract_from,
    "neg": negate,
    "mul": multiply,
    "div": divide,
    "view": _reshape,
    "reshape": _reshape,
    "_unsafe_view": _reshape,
    "unsqueeze": _reshape,
    "squeeze": _reshape,
    "flatten": _reshape,
    "unflatten": _reshape,
    "getitem": _getitem,
    "split": _split,
    "split_with_sizes": _split,
    "slice": _slice,
    "cat": _concatenate,
    "upsample_nearest2d": partial(_upsample, mode="nearest"),
    "upsample_bilinear2d": partial(_upsample, mode="bilinear"),
    "adaptive_avg_pool2d": _pool,
    "pixel_shuffle": _pixel_shuffle,
    "alias": _same,
    "to": _same,  # to another type: a program has float32 everywhere
    "_to_copy": _same,
    "clone": _same,
    "contiguous": _same,
    "detach": _same,
    "dropout": _dropout,
}
