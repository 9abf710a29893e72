"""The metric itself."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gankit import Metric

Rows = NDArray[np.int64]  # indices of pictures in a set


class PluginName(Metric):
    """The distance between the histograms of two sets: 0 if equal, 1 if they do not overlap."""

    better = "lower"
    enough = 100  # pictures in each set; gankit warns if there are fewer
    bounds = (0.0, 1.0)  # lowest and highest score, for the confidence interval

    def __init__(self, bins: int = 16) -> None:  # a parameter with a default is an option
        if not 2 <= bins <= 256:
            raise ValueError("bins must be 2 to 256")
        self.bins = bins

    # pictures (N, H, W, C) -> one row for each picture; called once for each set
    def features(self, pictures: NDArray[np.uint8]) -> NDArray[Any]:
        level = pictures.astype(np.int64) * self.bins // 256
        return np.stack([(level == bin).mean(axis=(1, 2)) for bin in range(self.bins)], axis=1)

    # called many times, for different rows of the two sets
    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        fake_features, real_features = state  # from `compare`: both sets' features, (N, bins, C)
        fake_histogram = fake_features[generated].mean(axis=0)
        real_histogram = real_features[reference].mean(axis=0)
        return float(np.abs(fake_histogram - real_histogram).sum(axis=0).mean() / 2)
