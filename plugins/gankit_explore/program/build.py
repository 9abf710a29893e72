"""The operations of a program while it is lowered; neighbours are fused where they can be."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.fx import Node

from gankit_explore.program.operations import Array, Operation, Shape

BATCH = 2  # pictures that PyTorch exports with; 1 would be taken for an axis to broadcast


@dataclass(frozen=True)
class Value:
    """A map that depends on z: 0 is z, n the result of operation n - 1."""

    index: int


class Unknown(Exception):
    """An operation is used in a way that a program does not have."""


class Builder:
    """Appends operations, and knows which values are read by one operation only."""

    def __init__(self, latent_dim: int) -> None:
        self.operations: list[Operation] = []
        self.result_shape: tuple[int, ...] = ()  # of the node that is being lowered
        self._latent_dim = latent_dim
        self._readers: dict[int, int] = {}

    def begin(self, node: Node) -> None:
        value = node.meta.get("val")
        self.result_shape = tuple(value.shape) if isinstance(value, torch.Tensor) else ()

    def end(self, node: Node, result: Any) -> None:
        """Count who reads the result. A value with a reader before this one stays as it is."""
        for value in result if isinstance(result, list) else [result]:
            if self._readers.get(value.index, 1) == 1:
                self._readers[value.index] = len(node.users)

    def add(self, kind: str, inputs: tuple[Value, ...], shape: Shape, **fields: Any) -> Value:
        """Append an operation; its value."""
        indexes = tuple(value.index for value in inputs)
        self.operations.append(Operation(kind, indexes, shape, **fields))
        return Value(len(self.operations))

    def shape(self, value: Value) -> Shape:
        """Channels, height and width. Unknown if it does not depend on z."""
        if not isinstance(value, Value):
            raise Unknown("of constants")
        return self.operations[value.index - 1].shape if value.index else (self._latent_dim, 1, 1)

    def operation(self, value: Value) -> Operation:
        """The operation whose result this is, which must not be z."""
        return self.operations[value.index - 1]

    def can_change(self, value: Value) -> bool:
        """Whether only the node being lowered reads this value, and no activation was applied."""
        if value.index == 0 or self._readers.get(value.index, 1) != 1:
            return False
        return not self.operation(value).activation

    def nearest_source(self, value: Value) -> tuple[Value, int] | None:
        """The map that was only enlarged, to its nearest pixels, to give this one; the factor."""
        if not self.can_change(value) or self.operation(value).kind != "upsample":
            return None
        operation = self.operation(value)
        if operation.settings["mode"] != "nearest":
            return None
        return Value(operation.inputs[0]), operation.settings["factor"]

    def scaled(self, value: Value, factors: Array, bias: Array) -> Value:
        """Each channel times a factor, plus a bias; part of the operation before if possible."""
        if self.can_change(value) and self.operation(value).kind in ("convolve", "affine"):
            arrays = self.operation(value).arrays
            arrays["bias"] = (arrays["bias"] * factors + bias).astype(np.float32)
            arrays["factors"] = (arrays["factors"] * factors).astype(np.float32)
            return value
        arrays = {"factors": factors.astype(np.float32), "bias": bias.astype(np.float32)}
        return self.add("affine", (value,), self.shape(value), arrays=arrays)

    def activated(self, value: Value, activation: str, slope: float = 0.0) -> Value:
        """The value with an activation; part of the operation before if possible."""
        if not self.can_change(value):
            channels = self.shape(value)[0]
            arrays = {
                "factors": np.ones(channels, np.float32),
                "bias": np.zeros(channels, np.float32),
            }
            value = self.add("affine", (value,), self.shape(value), arrays=arrays)
        self.operation(value).activation = activation
        self.operation(value).slope = slope
        return value


def map_shape(shape: tuple[int, ...]) -> Shape:
    """A tensor's shape (N, channels, height, width) without N; missing axes are 1."""
    if not 2 <= len(shape) <= 4 or shape[0] != BATCH:
        raise Unknown(f"the shape {tuple(shape)} is not of pictures")
    channels, height, width = (*shape[1:], 1, 1)[:3]
    return channels, height, width
