"""ProcessGroup: the processes that train one run together; most runs are one process.

Each process holds both networks and takes its share of each batch. What is drawn together (the
order of pictures, z) is drawn alike everywhere and then shared out, so the number of processes
changes no draw. Gradients are averaged after `backward`, so all weights stay alike.
`gankit.distributed` knows how processes talk.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class ProcessGroup:
    """A group of one process: its share is everything, and there is nobody to talk to."""

    rank: int = 0
    world_size: int = 1

    def share(self, rows: Any) -> Any:
        """This process's part of rows that all have: (N, ...) -> (N / world_size, ...)."""
        size = len(rows) // self.world_size
        start = self.rank * size
        return rows[start : start + size]

    def all_reduce_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the mean over all processes of each parameter's gradient."""

    def broadcast(self, value: Any) -> Any:
        """Rank 0's value, in every process."""
        return value
