"""Precision and recall, density and coverage: which pictures lie near pictures of the other set?

Each picture has a ball around it, whose radius is the distance to its k-th nearest neighbour in its
own set. Radii are computed once, on the whole set: in a bootstrap draw, a picture's nearest
neighbours would be its own copies, at distance 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.contracts.prepared import Rows
from gankit_metrics.features import FeatureMetric

Matrix = np.ndarray[Any, Any]
NEAR = "as near to real pictures as real ones are, which does not see what G never draws"
COVERED = "near to as many real pictures as real ones are, which does not see bad pictures"


class NeighbourMetric(FeatureMetric):
    """What the four share: which generated pictures lie in the balls of which real ones."""

    better = "higher"
    bounds = (0.0, 1.0)
    enough = 200

    def __init__(self, features: str, k: int) -> None:
        super().__init__(features)
        if k < 1:
            raise ValueError(f"k is {k}; it must be 1 or more")
        self.k = k

    def compare(self, generated: Matrix, reference: Matrix) -> Matrix:
        """(N, M): whether generated picture n lies in the ball of real picture m."""
        x = generated.astype(np.float64)
        y = reference.astype(np.float64)
        in_ball: Matrix = pairwise_distances(x, y) <= neighbour_radii(y, self.k)
        return in_ball


class Precision(NeighbourMetric):
    """The share of generated pictures that lie in the ball of any real picture.

    The radius of a picture's ball is the distance to its k-th nearest neighbour in its own set.
    After Kynkaanniemi et al. 2019. High if the pictures are good, even if they are all of one kind.
    A real outlier has a large ball, which raises the number.
    """

    at_the_floor = NEAR

    def __init__(self, features: str = "imagenet-lite", k: int = 3) -> None:
        super().__init__(features, k)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        in_any_ball: Matrix = np.any(state[:, np.unique(reference)], axis=1)
        return float(in_any_ball[generated].mean())


class Recall(Precision):
    """The share of real pictures that lie in the ball (see `precision`) of any generated picture.

    After Kynkaanniemi et al. 2019: precision with the two sets swapped. High if G draws every kind
    of picture, even if it also draws bad ones.
    """

    at_the_floor = COVERED

    def __init__(self, features: str = "imagenet-lite", k: int = 3) -> None:
        super().__init__(features, k)

    def compare(self, generated: Matrix, reference: Matrix) -> Matrix:
        return super().compare(reference, generated)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        return super().score(state, reference, generated)


class Density(NeighbourMetric):
    """How many real pictures' balls (see `precision`) a generated picture lies in, divided by k.

    After Naeem et al. 2020: precision that is less sensitive to outliers. 1 for real pictures; more
    if G draws most pictures where real ones are dense.
    """

    bounds = (0.0, math.inf)
    at_the_floor = NEAR

    def __init__(self, features: str = "imagenet-lite", k: int = 5) -> None:
        super().__init__(features, k)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        counts = np.bincount(reference, minlength=state.shape[1])
        return float((state @ counts)[generated].mean() / self.k)


class Coverage(NeighbourMetric):
    """The share of real pictures that have a generated picture in their ball (see `precision`).

    After Naeem et al. 2020: recall that outliers among the generated pictures cannot raise.
    """

    at_the_floor = COVERED

    def __init__(self, features: str = "imagenet-lite", k: int = 5) -> None:
        super().__init__(features, k)

    def score(self, state: Matrix, generated: Rows, reference: Rows) -> float:
        has_any_picture: Matrix = np.any(state[np.unique(generated)], axis=0)
        return float(has_any_picture[reference].mean())


def pairwise_distances(x: Matrix, y: Matrix) -> Matrix:
    """Euclidean distances (N, M) between the rows of x (N, d) and y (M, d), up to rounding."""
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * (x @ y.T)
    distances: Matrix = np.sqrt(squares.clip(0))
    return distances


def neighbour_radii(features: Matrix, k: int) -> Matrix:
    """(N,): the distance of each row of features (N, d) to its k-th nearest neighbour."""
    if k >= len(features):
        raise ValueError(f"k is {k}; it must be less than the number of pictures, {len(features)}")
    distances = pairwise_distances(features, features)
    np.fill_diagonal(distances, -1)  # so a picture comes before its own neighbours
    return np.partition(distances, k, axis=1)[:, k]
