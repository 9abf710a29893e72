"""Splits a data set: the subset, the pictures to train on, and the hold-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.prepared import Rows
from gankit.data.shuffle import permutation

MAX_WITHOUT_HOLDOUT = 500  # pictures; larger sets hold out a tenth unless --holdout says otherwise
DEFAULT_SHARE = 0.1
MIN_SOURCES = 20  # with fewer large pictures, a region of each is held out, not whole ones


def choose_subset(count: int, subset: int, seed: int) -> Rows:
    """The rows of a random subset, in order; all rows if `subset` is 0 or not below `count`."""
    if not subset or subset >= count:
        return np.arange(count)
    return np.sort(permutation(count, seed, 0, "subset")[:subset])


def split_holdout(
    rows: Rows, groups: Rows, boxes: Any, share: float, seed: int
) -> tuple[Rows, Rows]:
    """The rows to train on, and the rows held out: a `share` of them (-1: gankit decides).

    Pictures of one group (near duplicates) stay together. For patches of large pictures,
    `boxes[row]` is the source and the first and last corner of the region that the row shows (None
    for whole pictures). Then whole sources are held out or, if there are few, a strip of each, and
    patches across the strip's border belong to neither part.
    """
    if share < 0:
        share = DEFAULT_SHARE if len(rows) > MAX_WITHOUT_HOLDOUT else 0.0
    count = round(share * len(rows))
    if not count:
        return rows, rows[:0]
    if boxes is None:
        is_held = _choose_whole_groups(groups[rows], count, seed)
        return rows[~is_held], rows[is_held]
    boxes = boxes[rows]
    sources = boxes[:, 0]
    if len(np.unique(sources)) >= MIN_SOURCES:
        is_held = _choose_whole_groups(sources, count, seed)
        return rows[~is_held], rows[is_held]
    return _split_into_strips(rows, boxes, share)


def _choose_whole_groups(groups: Rows, count: int, seed: int) -> Any:
    """A mask (N,) of random whole groups that have at most `count` members together."""
    names, member_of = np.unique(groups, return_inverse=True)
    sizes = np.bincount(member_of)
    order = permutation(len(names), seed, 0, "hold-out")
    order = order[sizes[order] <= count]  # a group that is too large is trained on
    order = order[np.cumsum(sizes[order]) <= count]
    return np.isin(member_of, order)


def _split_into_strips(rows: Rows, boxes: Any, share: float) -> tuple[Rows, Rows]:
    """Of each source, the patches on either side of a cut across its longer side."""
    is_train = np.zeros(len(rows), bool)
    is_held = np.zeros(len(rows), bool)
    for source in np.unique(boxes[:, 0]):
        in_source = boxes[:, 0] == source
        first_corners = boxes[in_source, 1:3]
        last_corners = boxes[in_source, 3:]
        longer_side = int(np.argmax(last_corners.max(axis=0) - first_corners.min(axis=0)))
        starts = first_corners[:, longer_side]
        ends = last_corners[:, longer_side]
        cut = np.quantile(starts, 1 - share, method="higher")
        if cut > starts.min():
            is_train[in_source] = ends <= cut
            is_held[in_source] = starts >= cut
        else:  # one row of patches cannot be split
            is_train[in_source] = True
    return rows[is_train], rows[is_held]
