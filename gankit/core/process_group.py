"""ProcessGroup: the processes that train one run together; for most runs, one process.

Each process holds both networks and trains on its share of each batch. It draws the whole batch
(the order of pictures, z) and takes its share of it, so the draws do not depend on the number of
processes. Gradients are averaged after `backward`, so weights are equal in all processes.
`gankit.distributed` has the group of several processes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class ProcessGroup:
    """A group of one process: its share is the whole batch, and the other methods do nothing."""

    rank: int = 0
    world_size: int = 1

    def share(self, rows: Any) -> Any:
        """This process's share of rows: (N, ...) -> (N / world_size, ...)."""
        size = len(rows) // self.world_size
        start = self.rank * size
        return rows[start : start + size]

    def all_reduce_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each parameter's gradient by its mean over all processes."""

    def broadcast(self, value: Any, source: int = 0) -> Any:
        """Return the value of the process `source` in every process."""
        return value

    def first_problem(self, problem: str) -> str:
        """Return, in every process, the first process's problem that is not empty."""
        return problem
