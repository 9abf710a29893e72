"""The metric itself."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gankit import Metric

Rows = NDArray[np.int64]  # which pictures of a set, by their place in it


class PluginName(Metric):
    """How far the histograms of two sets are apart: 0 for equal ones, 1 for disjoint ones."""

    better = "lower"
    enough = 100  # pictures of each set; with fewer, gankit says not to trust the number
    bounds = (0.0, 1.0)  # of the number, for its interval

    def __init__(self, bins: int = 16) -> None:  # a parameter with a default is an option
        if not 2 <= bins <= 256:
            raise ValueError("bins must be 2 to 256")
        self.bins = bins

    # pictures (N, H, W, C); asked once for each set, and gives one row for each picture
    def features(self, pictures: NDArray[np.uint8]) -> NDArray[Any]:
        level = pictures.astype(np.int64) * self.bins // 256
        return np.stack([(level == bin).mean(axis=(1, 2)) for bin in range(self.bins)], axis=1)

    # asked again and again, each time with the rows to look at
    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        mine, real = state  # what compare gave: here both sets' features, (N, bins, C)
        apart = mine[generated].mean(axis=0) - real[reference].mean(axis=0)
        return float(np.abs(apart).sum(axis=0).mean() / 2)
