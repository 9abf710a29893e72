"""Memorising: does G repeat its training pictures?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.contracts.prepared import Pixels, Rows
from gankit_metrics.features import FeatureMetric
from gankit_metrics.neighbours import pairwise_distances

Matrix = np.ndarray[Any, Any]
PICTURE_ROWS = 8  # of the picture that shows the closest neighbours
GAP = 2  # px of white around each picture
RARE = 0.02  # the share of held-out pictures that lie as close to a training picture


class Memorising(FeatureMetric):
    """0.5: G is as close to its training pictures as new real pictures are; 1: it copies them.

    For each generated picture, the distance to the nearest training picture is divided by the
    distance to the nearest held-out one. Each held-out picture has such a ratio too: it is compared
    with the training part and with all other held-out pictures. The number is how often a
    generated picture's ratio is smaller than a held-out picture's. Below 0.5, generated pictures
    are far from all real ones, as at the start of training, and are not copies. (After the
    three-sample test of Meehan et al. 2020, arXiv 2004.05675, with ratios in place of distances.)

    features: pixels (at 32 px), imagenet-lite or inception. A picture's mirror image is searched
    for too.
    """

    no_direction = "0.5 is best: above it G copies, and below it its pictures are like no real ones"
    reads_training = True
    at_the_floor = "no sign of copying"
    beyond_the_floor = (
        "further from training pictures than new real ones are: no copies, but perhaps bad pictures"
    )
    bounds = (0.0, 1.0)

    def __init__(self, features: str = "pixels") -> None:
        super().__init__(features)
        self.feature_set += ", and mirrored"  # so that no metric without mirror images shares them

    def features(self, pictures: Pixels) -> Matrix:
        """(N, 2, d): each picture as it is, and mirrored."""
        mirrored = super().features(pictures[:, :, ::-1])
        return np.stack([super().features(pictures), mirrored], axis=1)

    def compare(self, generated: Matrix, reference: Matrix, training: Matrix | None = None) -> Any:
        """Four arrays: the ratios of generated and of held-out pictures, (N,) and (M,), and the
        index of each generated picture's nearest training and nearest held-out picture, (N,)."""
        assert training is not None  # gankit gives it, since reads_training is set
        train_index, train_distance = nearest_neighbours(generated, training)
        held_out_index, held_out_distance = nearest_neighbours(generated, reference)
        ratios = _ratio(train_distance, held_out_distance)
        _, train_distance = nearest_neighbours(reference, training)
        _, held_out_distance = nearest_neighbours(reference, reference, same_set=True)
        held_out_ratios = _ratio(train_distance, held_out_distance)
        return ratios, held_out_ratios, train_index, held_out_index

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        """P(ratio < held-out ratio) + P(equal) / 2: the Mann-Whitney statistic."""
        ratios = state[0][generated]
        held_out_ratios = np.sort(state[1][reference])
        num_smaller = np.searchsorted(held_out_ratios, ratios, "left")
        num_smaller_or_equal = np.searchsorted(held_out_ratios, ratios, "right")
        mean_rank = (num_smaller + num_smaller_or_equal).mean() / 2
        return float(1 - mean_rank / len(held_out_ratios))

    def describe(self, state: Any) -> str:
        """How many generated pictures have a smaller ratio than nearly all held-out ones."""
        ratios, held_out_ratios, *_ = state
        share = (ratios < np.quantile(held_out_ratios, RARE)).mean()
        most = f"{1 - RARE:.0%} of held-out pictures"
        return f"{share:.1%} are closer to a training picture than {most} are"

    def picture(self, state: Any, generated: Pixels, reference: Pixels, training: Pixels) -> Any:
        """The generated pictures with the smallest ratios, each beside its nearest training picture
        and its nearest held-out one; two such triples in a row."""
        ratios, _, train_index, held_out_index = state
        closest = np.argsort(ratios)[: 2 * PICTURE_ROWS]
        columns = (
            _add_border(generated[closest]),
            _add_border(training[train_index[closest]]),
            _add_border(reference[held_out_index[closest]]),
        )
        triples = [np.concatenate(triple, axis=1) for triple in zip(*columns, strict=True)]
        height, _, channels = triples[0].shape
        space = np.full((height, 4 * GAP, channels), 255, np.uint8)
        rows = [
            np.concatenate([first, space, second], axis=1)
            for first, second in zip(triples[::2], triples[1::2], strict=False)
        ]
        return np.concatenate(rows, axis=0)


def _ratio(distance: Matrix, other_distance: Matrix) -> Matrix:
    ratio: Matrix = distance / np.maximum(other_distance, 1e-12)
    return ratio


def _add_border(pictures: Pixels) -> Pixels:
    """White pixels around each picture."""
    return np.pad(pictures, ((0, 0), (GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)


def nearest_neighbours(x: Matrix, y: Matrix, same_set: bool = False) -> tuple[Matrix, Matrix]:
    """Index and distance, each (N,), of the nearest y (M, 2, d) to each x (N, 2, d).

    x is compared as it is and mirrored, y as it is. same_set: x and y are one set; a picture is
    then not its own neighbour.
    """
    indices = []
    distances = []
    for start in range(0, len(x), 256):  # so that a matrix of (256, M) is in memory, not (N, M)
        batch = x[start : start + 256]
        plain = pairwise_distances(batch[:, 0], y[:, 0])
        mirrored = pairwise_distances(batch[:, 1], y[:, 0])
        distance = np.minimum(plain, mirrored)
        rows = np.arange(len(batch))
        if same_set:
            distance[rows, start + rows] = np.inf
        index = distance.argmin(axis=1)
        indices.append(index)
        distances.append(distance[rows, index])
    return np.concatenate(indices), np.concatenate(distances)
