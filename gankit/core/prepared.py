"""PreparedDataset: a data set ready for batches."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


class PreparedDataset(NamedTuple):
    """A data set ready for batches: all its pictures, or a sample, where they are streamed."""

    pixels: Pixels  # (N, H, W, C), mapped from its file
    train: Rows  # the pictures to learn from
    holdout: Rows  # those kept away from training, for honest measuring
    fingerprint: str  # of the pixels
    skipped: Sequence[str] = ()  # pictures left out, and what was wrong with each
    streamed: int = 0  # how many pictures there are to learn from, of which `train` is a sample
    make_batches: Any = None  # called in place of gankit.Batches, with the same arguments

    @property
    def num_train(self) -> int:
        """How many pictures there are to learn from."""
        return self.streamed or len(self.train)
