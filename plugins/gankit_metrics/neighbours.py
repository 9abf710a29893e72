"""Precision and recall, density and coverage: whose neighbourhoods do pictures fall into?

A set's neighbourhood is a ball round each of its pictures, as wide as its k-th neighbour within
the set is far. Each radius is worked out once, on the whole set: in a bootstrap draw a picture's
own copies would be its neighbours, at distance 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.prepared import Rows
from gankit_metrics.features import OnFeatures

Matrix = np.ndarray[Any, Any]


class Balls(OnFeatures):
    """What the four have in common: which pictures lie in whose ball."""

    better = "higher"
    bounds = (0.0, 1.0)
    enough = 200

    def __init__(self, features: str, k: int) -> None:
        super().__init__(features)
        if k < 1:
            raise ValueError(f"k must be 1 or more, not {k}")
        self.k = k

    def compare(self, generated: Matrix, reference: Matrix) -> Matrix:
        """(N, M): whether generated picture n lies in the ball of real picture m."""
        x = generated.astype(np.float64)
        y = reference.astype(np.float64)
        in_ball: Matrix = distances(x, y) <= radii(y, self.k)
        return in_ball


class Precision(Balls):
    """Which share of the generated pictures lies in the neighbourhood of the real ones?

    After Kynkaanniemi et al. 2019. High where pictures are good, however few kinds there are.
    One real picture far off has a large ball, which makes the number kind.
    """

    def __init__(self, features: str = "imagenet-lite", k: int = 3) -> None:
        super().__init__(features, k)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        in_any_ball: Matrix = np.any(state[:, np.unique(reference)], axis=1)
        return float(in_any_ball[generated].mean())


class Recall(Precision):
    """Which share of the real pictures lies in the neighbourhood of the generated ones?

    After Kynkaanniemi et al. 2019: precision with the two sets in each other's place. High where G
    draws everything, however much else it draws.
    """

    def __init__(self, features: str = "imagenet-lite", k: int = 3) -> None:
        super().__init__(features, k)

    def compare(self, generated: Matrix, reference: Matrix) -> Matrix:
        return super().compare(reference, generated)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        return super().score(state, reference, generated)


class Density(Balls):
    """In how many real pictures' balls does a generated picture lie, as a share of k?

    After Naeem et al. 2020: precision that does not hang on single far-off pictures. 1 for real
    pictures, more where G crowds together where real pictures are dense.
    """

    bounds = (0.0, math.inf)

    def __init__(self, features: str = "imagenet-lite", k: int = 5) -> None:
        super().__init__(features, k)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        times = np.bincount(reference, minlength=state.shape[1])
        return float((state @ times)[generated].mean() / self.k)


class Coverage(Balls):
    """Which share of the real pictures has a generated picture in its ball?

    After Naeem et al. 2020: recall that outliers among the generated pictures cannot raise.
    """

    def __init__(self, features: str = "imagenet-lite", k: int = 5) -> None:
        super().__init__(features, k)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        has_any_picture: Matrix = np.any(state[np.unique(generated)], axis=0)
        return float(has_any_picture[reference].mean())


def distances(x: Matrix, y: Matrix) -> Matrix:
    """Euclidean distances (N, M) between rows; 0 between equal ones, but for rounding."""
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * (x @ y.T)
    roots: Matrix = np.sqrt(squares.clip(0))
    return roots


def radii(features: Matrix, k: int) -> Matrix:
    """How far the k-th neighbour of each picture is within its own set."""
    if k >= len(features):
        raise ValueError(f"k = {k} wants more than {len(features)} pictures")
    apart = distances(features, features)
    np.fill_diagonal(apart, -1)  # a picture is no neighbour of its own
    return np.partition(apart, k, axis=1)[:, k]
