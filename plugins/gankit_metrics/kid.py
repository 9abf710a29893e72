"""KID: do two sets of pictures come from the same distribution? An unbiased estimate."""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.contracts.prepared import Rows
from gankit_metrics.features import FeatureMetric

Matrix = np.ndarray[Any, Any]


class KID(FeatureMetric):
    """Kernel inception distance: 0 on average for two sets from one distribution, at any size.

    The squared maximum mean discrepancy under the kernel (x y / d + 1)^3 of d features.
    features: imagenet-lite, inception or pixels. Do not compare numbers that were computed with
    different features, or for pictures that were prepared in different ways.
    """

    at_the_floor = "these features cannot be told from those of real pictures at this size"

    def __init__(self, features: str = "imagenet-lite") -> None:
        super().__init__(features)

    def compare(self, generated: Matrix, reference: Matrix) -> Any:
        """The kernel of each set with itself, (N, N) and (M, M), and of the two, (N, M)."""
        x = generated.astype(np.float64)
        y = reference.astype(np.float64)
        return _polynomial_kernel(x, x), _polynomial_kernel(y, y), _polynomial_kernel(x, y)

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        kernel_xx, kernel_yy, kernel_xy = state
        x_counts = np.bincount(generated, minlength=kernel_xy.shape[0])
        y_counts = np.bincount(reference, minlength=kernel_xy.shape[1])
        mean_xy = x_counts @ kernel_xy @ y_counts / (x_counts.sum() * y_counts.sum())
        mean_xx = mean_over_pairs(kernel_xx, x_counts)
        mean_yy = mean_over_pairs(kernel_yy, y_counts)
        return float(mean_xx + mean_yy - 2 * mean_xy)

    def excess_variance(self, state: Any) -> float:
        """Twice the variance of what single pairs add to the estimate, beside single pictures.

        The draws contain it three times: once as they should, and twice as the error of the mean
        over a picture's pairs. Near 0, where single pictures add nothing, the interval would be
        too wide by the square root of 3 (Arcones & Gine 1992).
        """
        kernel_xx, kernel_yy, kernel_xy = state
        of_both = 4 * (_center(kernel_xy) ** 2).mean() / kernel_xy.size
        return float(2 * (_pair_variance(kernel_xx) + _pair_variance(kernel_yy) + of_both))


def _pair_variance(kernel: Matrix) -> float:
    """The variance of the mean over all pairs of a set (N, N) that is due to single pairs."""
    count = len(kernel)
    squares = mean_over_pairs(_center(kernel) ** 2, np.ones(count))
    return 2 * squares / max(1, count * (count - 1))


def _center(matrix: Matrix) -> Matrix:
    """A matrix minus the means of its rows and columns: what the pairs add to these."""
    rows = matrix.mean(axis=1, keepdims=True)
    centered: Matrix = matrix - rows - matrix.mean(axis=0) + matrix.mean()
    return centered


def _polynomial_kernel(x: Matrix, y: Matrix) -> Matrix:
    kernel: Matrix = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def mean_over_pairs(matrix: Matrix, counts: Matrix) -> float:
    """The mean of a symmetric matrix (N, N) over all pairs of two different pictures.

    counts (N,): how many times each picture was drawn. A picture and its own copy are not a pair:
    they are equal by construction, so a bootstrap draw would seem to vary less than its source.
    """
    squares = (counts**2).sum()
    num_pairs = counts.sum() ** 2 - squares
    total = counts @ matrix @ counts - (counts**2) @ matrix.diagonal()
    return float(total / max(num_pairs, 1))
