"""Sums and products of maps, of maps and numbers, and of maps and constants."""

from typing import Any

import numpy as np
import torch

from gankit_explore.program.build import BATCH, Builder, Unknown, Value, map_shape
from gankit_explore.program.operations import Array


def add(build: Builder, x: Any, y: Any, alpha: float = 1) -> Value:
    if isinstance(y, Value):
        return _combine(build, "add", x, _times(build, y, alpha))
    return _combine(build, "add", x, y * alpha)


def subtract(build: Builder, x: Any, y: Any, alpha: float = 1) -> Value:
    return add(build, x, y, -alpha)


def subtract_from(build: Builder, x: Value, y: Any, alpha: float = 1) -> Value:
    """y - alpha * x, as in `1 - x`."""
    return add(build, y, x, -alpha)


def negate(build: Builder, x: Value) -> Value:
    return _times(build, x, -1)


def multiply(build: Builder, x: Any, y: Any) -> Value:
    return _combine(build, "multiply", x, y)


def divide(build: Builder, x: Any, y: Any) -> Value:
    if isinstance(y, Value):
        raise Unknown("by a number that depends on z")
    return _combine(build, "multiply", x, 1 / y)


def _times(build: Builder, x: Value, factor: float) -> Value:
    if factor == 1:
        return x
    factors = np.full(build.shape(x)[0], factor, np.float32)
    return build.scaled(x, factors, factors * 0)


def _combine(build: Builder, kind: str, x: Any, y: Any) -> Value:
    if not isinstance(x, Value):
        return _combine(build, kind, y, x)
    shape = map_shape(build.result_shape)
    if isinstance(y, Value):
        return _combine_maps(build, kind, x, y)
    constant = _constant(build, y)
    if build.shape(x) == shape and np.ptp(constant, (1, 2)).max() == 0:
        return _with_numbers(build, kind, x, constant[:, 0, 0])
    values = {"values": np.ascontiguousarray(constant.transpose(1, 2, 0))}
    return _combine_maps(build, kind, x, build.add("constant", (), shape, arrays=values))


def _combine_maps(build: Builder, kind: str, x: Value, y: Value) -> Value:
    """The operation of two maps, of which one may be one number for each channel."""
    shape = map_shape(build.result_shape)
    whole, other = (x, y) if build.shape(x) == shape else (y, x)
    if build.shape(whole) != shape or build.shape(other) not in (shape, (shape[0], 1, 1)):
        raise Unknown(f"of the shapes {build.shape(x)} and {build.shape(y)}")
    return build.add(kind, (whole, other), shape)


def _constant(build: Builder, y: Any) -> Array:
    """A number or tensor as (channels, height, width) of the result."""
    full = torch.as_tensor(y, dtype=torch.float32).broadcast_to(build.result_shape)
    if not torch.equal(full[:1].expand(BATCH, *full.shape[1:]), full):
        raise Unknown("with constants that differ between the pictures of a batch")
    return np.asarray(full[0].reshape(map_shape(build.result_shape)).numpy(), np.float32)


def _with_numbers(build: Builder, kind: str, x: Value, numbers: Array) -> Value:
    neutral = np.ones_like(numbers)
    if kind == "multiply":
        return build.scaled(x, numbers, neutral * 0)
    return build.scaled(x, neutral, numbers)
