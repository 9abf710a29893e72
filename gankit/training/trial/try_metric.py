"""Does a metric's score depend on the pictures? One that ignores them always says the same."""

import numpy as np

from gankit.core.contracts.metric import Metric, finite_score
from gankit.core.contracts.prepared import Pixels

MAX_PICTURES = 48
IGNORES_PICTURES = (
    "score is the same for black pictures as for real ones: compute it from the features in state, "
    "as in state[0][generated]; its parameters generated and reference are row numbers into these"
)


def ignores_pictures(metric: Metric, pictures: Pixels) -> bool:
    """Whether real pictures (N, H, W, C), darker ones and black ones all have the same score.

    ValueError if features or a score are not finite numbers.
    """
    real = np.array(pictures[:MAX_PICTURES])
    rows = np.arange(len(real))
    scores = set()
    for generated in (real, real // 2, np.zeros_like(real)):
        sets = [metric.rows(generated.copy()), metric.rows(real.copy())]
        if metric.reads_training:
            sets.append(sets[1].copy())
        scores.add(finite_score(metric, metric.compare(*sets), rows, rows))
    return len(scores) == 1
