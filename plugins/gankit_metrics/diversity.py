"""Diversity: are generated pictures as different from each other as real ones are?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.prepared import Rows
from gankit_metrics.features import OnFeatures
from gankit_metrics.kid import within
from gankit_metrics.neighbours import distances


class Diversity(OnFeatures):
    """The mean distance between two generated pictures, as a share of that between two real ones.

    1 for real pictures, 0 where G draws one picture only. It does not see whether pictures are
    good: noise is as varied as can be, and above 1. Read it beside `kid` or `precision`.
    """

    better = "higher"
    bounds = (0.0, math.inf)

    def __init__(self, features: str = "imagenet-lite") -> None:
        super().__init__(features)

    def compare(self, generated: Any, reference: Any) -> Any:
        x, y = generated.astype(np.float64), reference.astype(np.float64)
        return distances(x, x), distances(y, y)

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        rows = zip(state, (generated, reference), strict=True)
        means = [within(apart, np.bincount(these, minlength=len(apart))) for apart, these in rows]
        return means[0] / max(means[1], 1e-12)
