"""Memorising: does G repeat pictures it has learnt from?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.prepared import Pixels, Rows
from gankit_metrics.features import OnFeatures
from gankit_metrics.neighbours import distances

Matrix = np.ndarray[Any, Any]
SHOWN, GAP = 8, 2  # rows of pictures in the proof, px between them
RARE = 0.02  # the share of held-out pictures that lie so close to a training picture


class Memorising(OnFeatures):
    """0.5: G is no nearer to its training pictures than fresh ones are; 1: it copies them.

    For each generated picture, the distance to the nearest training picture is divided by that to
    the nearest held-out one. Fresh real pictures have such a ratio too: each held-out picture,
    against the training part and the other held-out pictures. The number is how often a generated
    picture's ratio is smaller than a held-out one's. Below 0.5, pictures are far from all real
    ones, as those of a G that has just begun, and no copies. (After the three-sample test of Meehan
    et al. 2020, arXiv 2004.05675, with ratios in the place of distances.)

    features: pixels (at 32 px), imagenet-lite or inception. Each picture is looked for mirrored
    as well.
    """

    reads_training = True
    at_the_floor = "no sign of copying"
    bounds = (0.0, 1.0)

    def __init__(self, features: str = "pixels") -> None:
        super().__init__(features)
        self.feature_set += ", and mirrored"  # other rows than a metric without this would make

    def features(self, pictures: Pixels) -> Matrix:
        """(N, 2, d): each picture as it is, and mirrored."""
        mirrored = super().features(pictures[:, :, ::-1])
        return np.stack([super().features(pictures), mirrored], axis=1)

    def compare(self, generated: Matrix, reference: Matrix, training: Matrix | None = None) -> Any:
        """Ratios of the generated and of the held-out pictures, and who is nearest to whom."""
        assert training is not None  # gankit gives it, since reads_training is set
        to_train, to_held = nearest(generated, training), nearest(generated, reference)
        fresh_train, fresh_held = nearest(reference, training), nearest(reference, reference, True)
        ratios = (
            near[1] / np.maximum(far[1], 1e-12)
            for near, far in ((to_train, to_held), (fresh_train, fresh_held))
        )
        return (*ratios, to_train[0], to_held[0])

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        """P(ratio < fresh ratio) + P(equal) / 2: the Mann-Whitney statistic."""
        ours, fresh = state[0][generated], np.sort(state[1][reference])
        below, upto = (np.searchsorted(fresh, ours, side) for side in ("left", "right"))
        return float(1 - (below + upto).mean() / 2 / len(fresh))

    def describe(self, state: Any) -> str:
        limit = np.quantile(state[1], RARE)
        share = (state[0] < limit).mean()
        return f"{share:.1%} are closer to a training picture than {1 - RARE:.0%} of fresh ones are"

    def picture(self, state: Any, generated: Pixels, reference: Pixels, training: Pixels) -> Any:
        """The generated pictures with the smallest ratios, each with its two neighbours."""
        worst = np.argsort(state[0])[: 2 * SHOWN]
        columns = generated[worst], training[state[2][worst]], reference[state[3][worst]]
        framed = [np.pad(p, ((0, 0), (GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)
                  for p in columns]  # fmt: skip
        rows = [np.concatenate(row, axis=1) for row in zip(*framed, strict=True)]
        space = np.full((rows[0].shape[0], 4 * GAP, rows[0].shape[2]), 255, np.uint8)
        pairs = [np.concatenate([a, space, b], axis=1)
                 for a, b in zip(rows[::2], rows[1::2], strict=False)]  # fmt: skip
        return np.concatenate(pairs, axis=0)


def nearest(x: Matrix, y: Matrix, same: bool = False) -> tuple[Matrix, Matrix]:
    """(which, how far): for each x (N, 2, d) the nearest y (M, 2, d), with x as it is or mirrored.

    same: the two are one set, in which a picture is no neighbour of its own.
    """
    found = []
    for start in range(0, len(x), 256):  # (256, M) at a time
        part = x[start : start + 256]
        apart = np.minimum(distances(part[:, 0], y[:, 0]), distances(part[:, 1], y[:, 0]))
        if same:
            apart[np.arange(len(part)), start + np.arange(len(part))] = np.inf
        which = apart.argmin(axis=1)
        found.append((which, apart[np.arange(len(part)), which]))
    which, far = (np.concatenate(column) for column in zip(*found, strict=True))
    return which, far
