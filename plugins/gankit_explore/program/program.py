"""A program: what a generator computes, as a list of operations and one buffer of numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gankit_explore.program.operations import Array, Operation, Shape
from gankit_explore.program.run import run_operation

FORMAT = 1


@dataclass(frozen=True)
class Program:
    """A generator as operations. `lower` makes it, with weights rounded to float16."""

    latent_dim: int
    operations: tuple[Operation, ...]

    @property
    def shape(self) -> Shape:
        """Channels, height and width of the pictures."""
        return self.operations[-1].shape

    def describe(self) -> dict[str, Any]:
        """The program as JSON data; numbers are byte offsets into `weights()`.

        `layers` lists the maps that convolutions read, the first to the last: their value and their
        shape. A page shows these as tiles, and can silence their channels.
        """
        entries, _ = _pack(self.operations)
        layers = [{"value": value, "shape": list(self._shape(value))} for value in self._layers()]
        return {
            "format": FORMAT,
            "latent_dim": self.latent_dim,
            "shape": list(self.shape),
            "operations": entries,
            "layers": layers,
        }

    def weights(self) -> bytes:
        """All numbers: the weights of convolutions as float16, others as float32; little-endian."""
        return _pack(self.operations)[1]

    def images(self, z: Array) -> Array:
        """Images (N, C, H, W) in [-1, 1], float32, of z (N, latent_dim), computed with numpy."""
        values = [z.astype(np.float32).reshape(len(z), 1, 1, -1)]
        for operation in self.operations:
            values.append(run_operation(operation, [values[index] for index in operation.inputs]))
        return values[-1].transpose(0, 3, 1, 2)

    def _shape(self, value: int) -> Shape:
        return self.operations[value - 1].shape if value else (self.latent_dim, 1, 1)

    def _layers(self) -> list[int]:
        layers = set()
        for operation in self.operations:
            if operation.kind == "convolve":
                (value,) = operation.inputs
                while value and self.operations[value - 1].kind == "upsample":
                    (value,) = self.operations[value - 1].inputs
                layers.add(value)
        return sorted(value for value in layers if self._shape(value)[1] > 1)


def _pack(operations: tuple[Operation, ...]) -> tuple[list[dict[str, Any]], bytes]:
    """The entries of the operations, and the buffer that they point into."""
    buffer = bytearray()
    entries = []
    for operation in operations:
        entry: dict[str, Any] = {
            "kind": operation.kind,
            "inputs": list(operation.inputs),
            "shape": list(operation.shape),
            **operation.settings,
        }
        if operation.activation:
            entry |= {"activation": operation.activation, "slope": operation.slope}
        entry |= {name: _append(buffer, array, "<f4") for name, array in operation.arrays.items()}
        if operation.phases:
            entry["phases"] = [
                {"taps": [list(tap) for tap in phase.taps], "weights": offset}
                for phase in operation.phases
                for offset in [_append(buffer, phase.weights, "<f2")]
            ]
        entries.append(entry)
    return entries, bytes(buffer)


def _append(buffer: bytearray, array: Array, kind: str) -> int:
    """Add numbers at the next multiple of 4 bytes; return where they begin."""
    buffer.extend(bytes(-len(buffer) % 4))
    offset = len(buffer)
    buffer.extend(array.astype(kind).tobytes())
    return offset
