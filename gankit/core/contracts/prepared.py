"""PreparedDataset: a data set whose pictures are cropped, resized and split."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


class PreparedDataset(NamedTuple):
    """A data set ready for batches: all pictures, or a sample of them if they are streamed."""

    pixels: Pixels  # (N, H, W, C), a memory map
    train: Rows  # indices of the training pictures
    holdout: Rows  # indices of the hold-out, which is for measuring only
    fingerprint: str  # hash of the pixels
    skipped: Sequence[str] = ()  # pictures that could not be read, and why
    streamed: int = 0  # number of training pictures in the stream; `train` is a sample of them
    make_batches: Any = None  # used in place of gankit.Batches, with the same arguments
    notes: Sequence[str] = ()  # what was decided about all pictures, such as one white
    labels: Rows | None = None  # (N,), the class of each picture; None: not asked for
    class_names: Sequence[str] = ()  # of the classes 0, 1, ...

    @property
    def num_train(self) -> int:
        """The number of training pictures."""
        return self.streamed or len(self.train)
