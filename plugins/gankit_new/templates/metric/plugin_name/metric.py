"""The metric itself."""

import numpy as np

from gankit import Metric


class PluginName(Metric):
    """How far the histograms of two sets are apart: 0 for equal ones, 1 for disjoint ones."""

    better = "lower"
    enough = 100  # pictures of each set; with fewer, gankit says not to trust the number
    bounds = (0.0, 1.0)  # of the number, for its interval

    def __init__(self, bins: int = 16) -> None:  # a parameter with a default is an option
        if not 2 <= bins <= 256:
            raise ValueError("bins must be 2 to 256")
        self.bins = bins

    def features(self, pictures):  # uint8 (N, H, W, C); one row for each, once for each set
        level = pictures.astype(np.int64) * self.bins // 256
        return np.stack([(level == bin).mean(axis=(1, 2)) for bin in range(self.bins)], axis=1)

    def score(self, state, generated, reference):  # asked again and again, with rows to look at
        mine, real = state  # what compare gave: here both sets' features, (N, bins, C)
        apart = mine[generated].mean(axis=0) - real[reference].mean(axis=0)
        return float(np.abs(apart).sum(axis=0).mean() / 2)
