"""Splits a data set: the subset, the pictures to train on, and the hold-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core.contracts.prepared import Rows
from gankit.data.shuffle import permutation

MAX_WITHOUT_HOLDOUT = 500  # pictures; larger sets hold out a tenth unless --holdout says otherwise
DEFAULT_SHARE = 0.1
MIN_FRAMES = 4  # of a film of which the end is held out
MAX_GAP = 1000  # ms before that end that belong to neither part: neighbours are nearly the same
GAP_SHARE = 0.05  # but no more than this share of a short film
MIN_SOURCES = 20  # with fewer large pictures, a region of each is held out, not whole ones


def choose_subset(count: int, subset: int, seed: int) -> Rows:
    """The rows of a random subset, in order; all rows if `subset` is 0 or not below `count`."""
    if not subset or subset >= count:
        return np.arange(count)
    return np.sort(permutation(count, seed, 0, "subset")[:subset])


def split_holdout(
    rows: Rows, groups: Rows, boxes: Any, share: float, seed: int, moments: Any = None
) -> tuple[Rows, Rows]:
    """The rows to train on, and the rows held out: a `share` of them (-1: gankit decides).

    Pictures of one group (near duplicates) stay together. For patches of large pictures,
    `boxes[row]` is the source and the first and last corner of the region that the row shows (None
    for whole pictures). Then whole sources are held out or, if there are few, a strip of each, and
    patches across the strip's border belong to neither part. Frames of films, whose `moments[row]`
    are the film and the time, are split by time.
    """
    if share < 0:
        share = DEFAULT_SHARE if len(rows) > MAX_WITHOUT_HOLDOUT else 0.0
    count = round(share * len(rows))
    if not count:
        return rows, rows[:0]
    if moments is not None:
        return _split_with_films(rows, groups[rows], moments[rows], count, seed)
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


def _split_with_films(
    rows: Rows, groups: Rows, moments: Any, count: int, seed: int
) -> tuple[Rows, Rows]:
    """Hold out the end of each film, or whole films if there are many; and about as many pictures.

    Frames close to the border belong to neither part. Held out frames that look like one of the
    others, because a scene comes twice, are trained on like these.
    """
    films, times = moments.T
    is_frame = films >= 0
    names = np.unique(films[is_frame])
    is_held = np.zeros(len(rows), bool)
    is_border = np.zeros(len(rows), bool)
    if len(names) >= MIN_SOURCES:
        # Pictures of no film go by their groups, as always.
        sources = np.where(is_frame, films, films.max() + 1 + groups)
        is_held = _choose_whole_groups(sources, count, seed)
    else:
        share = count / len(rows)
        for name in names:
            _hold_end(np.flatnonzero(films == name), times, share, is_held, is_border)
        others = np.flatnonzero(~is_frame)
        chosen = _choose_whole_groups(groups[others], round(share * len(others)), seed)
        is_held[others[chosen]] = True
    is_train = ~is_held & ~is_border
    in_both = np.isin(groups, groups[is_train]) & is_held
    return rows[is_train | in_both], rows[is_held & ~in_both]


def _hold_end(frames: Rows, times: Rows, share: float, is_held: Any, is_border: Any) -> None:
    """Mark a film's last frames as held out, and those shortly before them as the border."""
    frames = frames[np.argsort(times[frames], kind="stable")]
    number = round(share * len(frames))
    if not number or len(frames) < MIN_FRAMES:
        return
    held = frames[-number:]
    length = times[frames[-1]] - times[frames[0]]
    gap = min(MAX_GAP, GAP_SHARE * length)
    before = frames[:-number]
    is_held[held] = True
    is_border[before[times[before] > times[held[0]] - gap]] = True
    is_border[before[-1]] = True  # at least one
