"""Team: the processes that train one run together; most runs are a team of one.

Each holds the whole game and takes its share of each batch. What is drawn together (the order of
pictures, z) is drawn alike everywhere and then shared out, so how many they are changes no draw.
After `backward`, gradients are averaged; so all weights stay alike. A plugin knows how they talk.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Team:
    """A team of one: its share is everything."""

    rank: int = 0
    size: int = 1

    def share(self, rows: Any) -> Any:
        """This process's part of rows that all of them have: (N, ...) -> (N / size, ...)."""
        each = len(rows) // self.size
        return rows[self.rank * each : (self.rank + 1) * each]

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the mean of all gradients."""

    def told(self, value: Any) -> Any:
        """The first process's value, for all."""
        return value
