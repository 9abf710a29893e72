"""FID: how far are two normal distributions apart that were fitted to the features?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.prepared import Rows
from gankit_metrics.features import OnFeatures

Matrix = np.ndarray[Any, Any]


class FID(OnFeatures):
    """Frechet inception distance. Biased upwards, and the more so the smaller the sets are.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) for the means and covariances of the features.
    Two sets of 1,000 from one source are far from 0, which is what the floor shows; published
    numbers take 50,000. At such sizes `kid` says the same without the bias.
    features: imagenet-lite, inception or pixels; only inception may be held against a paper.
    """

    enough = 10_000
    draws = 40  # each costs some eigenvalues
    bounds = (0.0, math.inf)

    def __init__(self, features: str = "imagenet-lite") -> None:
        super().__init__(features)

    def compare(self, generated: Matrix, reference: Matrix) -> Any:
        return generated.astype(np.float64), reference.astype(np.float64)

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        """As in Heusel et al. 2017, from the features themselves rather than from covariances."""
        x, y = state[0][generated], state[1][reference]
        apart = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
        x, y = root(x), root(y)
        return float(apart + (x**2).sum() + (y**2).sum() - 2 * nuclear(x @ y.T))


def root(x: Matrix) -> Matrix:
    """A matrix R with R' R the covariance of the rows of x (N, d): (N, d), or (d, d) if smaller."""
    x = (x - x.mean(axis=0)) / math.sqrt(len(x) - 1)
    if len(x) <= x.shape[1]:
        return x
    values, vectors = np.linalg.eigh(x.T @ x)
    short_root: Matrix = np.sqrt(values.clip(0))[:, None] * vectors.T
    return short_root


def nuclear(matrix: Matrix) -> float:
    """The sum of singular values: for roots R, S of two covariances C, D, that of R S' is
    tr((C D)^(1/2)), since C D has the eigenvalues of (R S')' (R S')."""
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    return float(np.sqrt(np.linalg.eigvalsh(small).clip(0)).sum())
