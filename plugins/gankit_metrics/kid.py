"""KID: do two sets of pictures come from the same distribution? An unbiased estimate."""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.prepared import Rows
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
