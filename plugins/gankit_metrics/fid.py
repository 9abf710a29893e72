"""FID: the distance of two normal distributions that are fitted to the features."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.contracts.prepared import Rows
from gankit_metrics.features import FeatureMetric

Matrix = np.ndarray[Any, Any]


class FID(FeatureMetric):
    """Frechet inception distance. It is biased upwards, most of all for small sets.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) for the means and covariances of the features.
    Even two sets of 1,000 pictures from one distribution are far from 0; the floor shows how far.
    Published numbers take 50,000 pictures. With fewer, use `kid`, which has no bias. Pictures with
    transparency are seen on black and on white, and opaque ones then have twice the usual FID.
    features: imagenet-lite, inception or pixels. Compare only inception with published numbers.
    """

    enough = 10_000
    draws = 40  # fewer than usual, because each computes eigenvalues
    bounds = (0.0, math.inf)
    at_the_floor = "these features cannot be told from those of real pictures at this size"

    def __init__(self, features: str = "imagenet-lite") -> None:
        super().__init__(features)

    def compare(self, generated: Matrix, reference: Matrix) -> Any:
        return generated.astype(np.float64), reference.astype(np.float64)

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        """As in Heusel et al. 2017, from the features themselves rather than from covariances."""
        x = state[0][generated]
        y = state[1][reference]
        mean_term = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
        x = covariance_root(x)
        y = covariance_root(y)
        return float(mean_term + (x**2).sum() + (y**2).sum() - 2 * nuclear_norm(x @ y.T))


def covariance_root(x: Matrix) -> Matrix:
    """A matrix R with R' R the covariance of the rows of x (N, d): (N, d), or (d, d) if smaller."""
    x = (x - x.mean(axis=0)) / math.sqrt(len(x) - 1)
    if len(x) <= x.shape[1]:
        return x
    values, vectors = np.linalg.eigh(x.T @ x)
    root: Matrix = np.sqrt(values.clip(0))[:, None] * vectors.T
    return root


def nuclear_norm(matrix: Matrix) -> float:
    """The sum of the singular values.

    For roots R, S of two covariances C, D, the nuclear norm of R S' is tr((C D)^(1/2)), because
    C D has the eigenvalues of (R S')' (R S').
    """
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    return float(np.sqrt(np.linalg.eigvalsh(small).clip(0)).sum())
