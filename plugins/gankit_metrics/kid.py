"""KID: do two sets come from the same source? A kernel's unbiased answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.prepared import Rows
from gankit_metrics.features import OnFeatures

Matrix = np.ndarray[Any, Any]


class KID(OnFeatures):
    """Kernel inception distance: 0 on average for two sets from one source, whatever their size.

    The squared maximum mean discrepancy under the kernel (x y / d + 1)^3 of d features.
    features: imagenet-lite, inception or pixels. Numbers over different features, or of pictures
    prepared in different ways, cannot be compared.
    """

    def __init__(self, features: str = "imagenet-lite") -> None:
        super().__init__(features)

    def compare(self, generated: Matrix, reference: Matrix) -> Any:
        x, y = (features.astype(np.float64) for features in (generated, reference))
        return _kernel(x, x), _kernel(y, y), _kernel(x, y)

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        among_x, among_y, across = state
        x, y = (np.bincount(r, minlength=n) for r, n in zip((generated, reference), across.shape,
                                                            strict=True))  # fmt: skip
        between = x @ across @ y / (x.sum() * y.sum())
        return float(within(among_x, x) + within(among_y, y) - 2 * between)


def _kernel(x: Matrix, y: Matrix) -> Matrix:
    kernel: Matrix = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def within(matrix: Matrix, times: Matrix) -> float:
    """The mean of a symmetric (N, N) matrix over pairs of different pictures.

    times (N,): how often each picture comes. A picture and its own copy are no pair: they are
    alike by construction, and would make every bootstrap draw look less varied than its source.
    """
    squared = (times**2).sum()
    pairs = times.sum() ** 2 - squared
    return float((times @ matrix @ times - (times**2) @ matrix.diagonal()) / max(pairs, 1))
