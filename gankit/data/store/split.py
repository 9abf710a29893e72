"""Which pictures are learnt from, and which are kept away for honest measuring."""

from __future__ import annotations

from typing import Any

import numpy as np

from gankit.core import randomness
from gankit.core.prepared import Rows

FROM = 500  # sets larger than this keep a tenth away unless the person says otherwise
SHARE = 0.1
MANY = 20  # so many large pictures can be split picture by picture, fewer only by region


def chosen(count: int, subset: int, seed: int) -> Rows:
    """The rows of the subset, in order; all without one."""
    if not subset or subset >= count:
        return np.arange(count)
    return np.sort(_shuffled(count, seed, "subset")[:subset])


def split(rows: Rows, groups: Rows, boxes: Any, share: float, seed: int) -> tuple[Rows, Rows]:
    """The rows to train on and those held out, a `share` of them (-1: gankit decides).

    Pictures of one group (near duplicates) stay together. `boxes[row]` (source, and the first and
    the last corner), if there are any, says which region of which large picture a row shows: then
    whole sources are held out, or, where there are few, a strip of each, and patches that lie
    across its border belong to neither part.
    """
    if share < 0:
        share = SHARE if len(rows) > FROM else 0.0
    wanted = round(share * len(rows))
    if not wanted:
        return rows, rows[:0]
    if boxes is None:
        held = _whole_groups(groups[rows], wanted, seed)
        return rows[~held], rows[held]
    boxes = boxes[rows]
    if len(np.unique(boxes[:, 0])) >= MANY:
        held = _whole_groups(boxes[:, 0], wanted, seed)
        return rows[~held], rows[held]
    return _strips(rows, boxes, share)


def _whole_groups(groups: Rows, wanted: int, seed: int) -> Any:
    """True for some `wanted` members, whole groups of them, drawn at random."""
    names, member = np.unique(groups, return_inverse=True)
    sizes = np.bincount(member)
    order = _shuffled(len(names), seed, "hold-out")
    order = order[sizes[order] <= wanted]  # one too large for the hold-out is trained on
    order = order[np.cumsum(sizes[order]) <= wanted]
    return np.isin(member, order)


def _strips(rows: Rows, boxes: Any, share: float) -> tuple[Rows, Rows]:
    """Of each source, the patches to one side of a cut across its longer side."""
    train, held = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for source in np.unique(boxes[:, 0]):
        here = boxes[:, 0] == source
        first, last = boxes[here, 1:3], boxes[here, 3:]
        axis = int(np.argmax(last.max(axis=0) - first.min(axis=0)))  # the longer side
        starts, ends = first[:, axis], last[:, axis]
        cut = np.quantile(starts, 1 - share, method="higher")
        if cut > starts.min():  # else one row of patches: it cannot be split
            train[here], held[here] = ends <= cut, starts >= cut
        else:
            train[here] = True
    return rows[train], rows[held]


def _shuffled(count: int, seed: int, purpose: str) -> Rows:
    import torch

    return torch.randperm(count, generator=randomness.generator(seed, 0, purpose)).numpy()
