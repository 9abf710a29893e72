"""Rows in which each class is equally often: for `--balance-classes`."""

from __future__ import annotations

import numpy as np

from gankit.core.contracts.prepared import Rows
from gankit.data.shuffle import permutation


class BalancedRows:
    """An endless order of rows: of every C rows in turn, one is of each of the C classes.

    The order is a function of the seed. The pictures of a class are shuffled again whenever all of
    them were used, so those of a small class come more often.
    """

    def __init__(self, rows: Rows, labels: Rows, seed: int) -> None:
        """`rows` (M,) of pictures whose classes are `labels` (M,)."""
        self.of_class = [rows[labels == number] for number in np.unique(labels)]
        self.seed = seed
        self._orders: dict[int, tuple[int, Rows]] = {}  # class -> its epoch, and the order in it

    def __getitem__(self, positions: range) -> Rows:
        """The rows at these positions of the order."""
        count = len(self.of_class)
        first = positions.start // count
        last = (positions.stop - 1) // count
        rounds = [self._round(number) for number in range(first, last + 1)]
        start = positions.start - first * count
        return np.concatenate(rounds)[start : start + len(positions)]

    def _round(self, number: int) -> Rows:
        """One row of each class, in random order."""
        order = permutation(len(self.of_class), self.seed, number, "order of classes")
        return np.array([self._row(int(which), number) for which in order], np.int64)

    def _row(self, which: int, number: int) -> int:
        """The row of a class that comes in this round."""
        rows = self.of_class[which]
        epoch, place = divmod(number, len(rows))
        if which not in self._orders or self._orders[which][0] != epoch:
            order = permutation(len(rows), self.seed, epoch, f"order of class {which}")
            self._orders[which] = (epoch, rows[order])
        _, shuffled = self._orders[which]
        return int(shuffled[place])
