"""Diversity: are generated pictures as different from each other as real ones are?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.contracts.prepared import Rows
from gankit_metrics.features import FeatureMetric
from gankit_metrics.kid import mean_over_pairs
from gankit_metrics.neighbours import pairwise_distances


class Diversity(FeatureMetric):
    """The mean distance between two generated pictures, divided by that between two real ones.

    1 for real pictures, 0 if G draws only one picture. It does not see whether pictures are good:
    noise varies more than real pictures do, so it is above 1. Read it together with `kid` or
    `precision`.
    """

    better = "higher"
    no_direction = "real pictures get 1, and noise gets more"
    bounds = (0.0, math.inf)
    at_the_floor = "as different from each other as real pictures are, good or not"
    beyond_the_floor = "more different from each other than real pictures are, as noise is"

    def __init__(self, features: str = "imagenet-lite") -> None:
        super().__init__(features)

    def compare(self, generated: Any, reference: Any) -> Any:
        """The distances within each set, (N, N) and (M, M)."""
        x = generated.astype(np.float64)
        y = reference.astype(np.float64)
        return pairwise_distances(x, x), pairwise_distances(y, y)

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        x_distances, y_distances = state
        x_counts = np.bincount(generated, minlength=len(x_distances))
        y_counts = np.bincount(reference, minlength=len(y_distances))
        generated_mean = mean_over_pairs(x_distances, x_counts)
        return generated_mean / max(mean_over_pairs(y_distances, y_counts), 1e-12)
