"""Which pictures are (nearly) the same: a small record of each, and groups of equal ones.

Copies hide: saved again as JPEG, resized, trimmed at the edges, a little brighter, mirrored. So a
picture's look is a thumbnail, and two looks are the same when the one is the other moved, zoomed
and lit slightly differently. All pairs of about the same light are compared, by matrix products of
their coarse detail. Buckets of hash bits would be quicker for millions, but miss what was trimmed
and stumble over sets in which much is alike; this takes some seconds for 50,000, whatever they are.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gankit.data.store.thumbs import SIDE, Floats, Ints, Thumbs, places, thumbs_of

LOOK = np.dtype([("digest", "<u8"), ("thumb", "u1", (SIDE, SIDE, 3))])

# Measured on photos, paintings, cells, tissue and drawn flowers. Copies trimmed by up to 3 % at
# each side have a likeness above 0.91 (98 of 100) and leave less than 0.3 of their detail
# unexplained (90 of 100), other copies less than 0.15; different pictures left 0.37 and more.
LIKENESS = 0.9  # correlation of coarse detail from which two pictures are compared closely
UNEXPLAINED = 0.3  # share of a picture's detail that differs in a copy
LOOSE = 0.7  # correlation with its group's centre that a member keeps: no chains
PLAIN = 2.0  # levels of 255: less detail than this is noise, and says nothing
LIGHT = 20.0  # levels by which a copy's mean light may differ: 8 % of white
CONTRAST = 1.3  # factor by which its contrast may differ
COLOUR = 10.0  # levels by which its colours may; a picture in other colours is another picture
ROWS, COLUMNS = 256, 512  # compared at a time: their products stay in the processor's cache
THIN = 16  # rows multiplied at a time: 16 x 32 x 512 is the most that OpenBLAS leaves to one thread
AT_ONCE = 2048  # pairs compared closely: some 30 MB
EACH = 2  # closest candidates of a picture in one block; copies of copies are joined anyway

Looks = NDArray[np.void]  # (N,) of LOOK


def look(pixels: NDArray[np.uint8]) -> Looks:
    """The look of one picture (H, W, C) or (H, W), of no dimensions: stack them with np.stack."""
    pixels = np.ascontiguousarray(pixels)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)
    if image.width % SIDE or image.height % SIDE:
        image = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    else:  # the same, much faster
        image = image.reduce((image.width // SIDE, image.height // SIDE))
    small = np.asarray(image)
    found = np.empty((), LOOK)
    found["digest"] = np.frombuffer(sha256(pixels.data).digest(), "<u8", 1)[0]
    found["thumb"] = small if small.ndim == 3 else small[..., None]
    return found


def copies(looks: Looks) -> Ints:
    """For each picture, the index of the first that is the same to the pixel."""
    return _first(looks["digest"])


def groups(looks: Looks) -> Ints:
    """For each picture, the index of the first of its group of exact and near copies."""
    exact = copies(looks)
    some = np.flatnonzero(exact == np.arange(len(looks)))  # one of each
    thumbs = thumbs_of(looks["thumb"][some])
    flat = np.flatnonzero(thumbs.spread < PLAIN)
    rest = np.argsort(thumbs.light, kind="stable")
    rest = rest[thumbs.spread[rest] >= PLAIN]
    group = np.arange(len(some))
    # With nothing to be seen on them, only those are the same that are so in every value.
    whole = np.ascontiguousarray(thumbs.pixels[flat]).reshape(-1).view(f"V{3 * SIDE * SIDE}")
    group[flat] = flat[_first(whole)]
    group[rest] = rest[_joined(thumbs.at(rest))]
    return some[_first(group)][np.searchsorted(some, exact)]


def plain(looks: Looks) -> NDArray[np.bool_]:
    """Which pictures are one flat colour or a smooth gradient, with nothing to be seen on them."""
    return thumbs_of(looks["thumb"]).spread < PLAIN


def likeness(looks: Looks) -> float:
    """Mean correlation of all pairs' coarse detail: 1 if all pictures are framed alike."""
    thumbs, pairs = thumbs_of(looks["thumb"]), len(looks) * (len(looks) - 1)
    total = sum(float((half.sum(0) ** 2).sum()) for half in (thumbs.even, thumbs.odd))
    return (total - len(looks)) / pairs if pairs else 0.0


def _joined(thumbs: Thumbs) -> Ints:
    """Groups of thumbnails that are sorted by their light, none of them plain."""
    count = len(thumbs.light)
    links = np.empty((0, 2), np.intp)
    group = np.arange(count)
    for mirrored, i, j in _likely_pairs(thumbs):
        is_new = group[i] != group[j]
        i = i[is_new]
        j = j[is_new]
        same = _same(thumbs, i, j, mirrored=mirrored)
        if same.any():
            links = np.concatenate([links, np.stack([i[same], j[same]], axis=1)])
            group = _components(links, count)
    return _unchained(_first(group), links, thumbs)


def _components(links: Ints, count: int) -> Ints:
    """For each of `count` pictures, the number of its connected component under the links."""
    from scipy.sparse import coo_array  # most runs find their groups in the cache
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links)), tuple(links.T)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component, np.intp)


def _likely_pairs(thumbs: Thumbs) -> Iterator[tuple[bool, Ints, Ints]]:
    """Pairs to compare closely, AT_ONCE at most: whether mirrored, the first, the second."""
    tops = range(0, len(thumbs.light), ROWS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for candidates in pool.map(partial(_candidates, thumbs), tops):
            yield from _in_chunks(candidates)


def _in_chunks(candidates: dict[bool, Ints]) -> Iterator[tuple[bool, Ints, Ints]]:
    for mirrored, pairs in candidates.items():
        for start in range(0, pairs.shape[1], AT_ONCE):
            first, second = pairs[:, start : start + AT_ONCE]
            yield mirrored, first, second


def _candidates(thumbs: Thumbs, top: int) -> dict[bool, Ints]:
    """Pairs (2, N) of one of ROWS pictures and a later one of like detail, as is and mirrored."""
    found: dict[bool, list[Ints]] = {False: [], True: []}
    rows = slice(top, top + ROWS)
    end = int(np.searchsorted(thumbs.light, thumbs.light[rows][-1] + LIGHT))
    for left in range(top, end, COLUMNS):
        columns = slice(left, min(left + COLUMNS, end))
        straight = _products(thumbs.even[rows], thumbs.even[columns])
        turn = _products(thumbs.odd[rows], thumbs.odd[columns])
        if left < top + ROWS:  # not with itself, and every two only once
            straight[np.tril_indices(len(straight), top - left, straight.shape[1])] = -2
        for mirrored in (False, True):
            pairs = _closest(straight - turn if mirrored else straight + turn)
            found[mirrored].append(pairs + np.array([[top], [left]]))
    return {mirrored: np.concatenate(pairs, axis=1) for mirrored, pairs in found.items()}


def _products(a: Floats, b: Floats) -> Floats:
    """a @ b.T, in pieces that BLAS does not share out among threads of its own.

    They would wait for one another and for ours: on a busy computer that takes 50 times as long.
    """
    thin = np.zeros((-(-len(a) // THIN), THIN, a.shape[1]), np.float32)
    thin.reshape(-1, a.shape[1])[: len(a)] = a
    return (thin @ np.ascontiguousarray(b.T)).reshape(-1, len(b))[: len(a)]


def _closest(likeness: Floats) -> Ints:
    """The EACH closest candidates of every row, fewer where there are fewer: rows and columns."""
    found: list[Ints] = []
    rows = np.arange(len(likeness))
    for _ in range(EACH):
        best = likeness[rows].argmax(1) if found else likeness.argmax(1)
        good = likeness[rows, best] > LIKENESS
        rows, best = rows[good], best[good]
        found.append(np.stack([rows, best]))
        if not len(rows):
            break
        likeness[rows, best] = -2
    return np.concatenate(found, axis=1)


def _same(thumbs: Thumbs, i: Ints, j: Ints, *, mirrored: bool) -> NDArray[np.bool_]:
    """Whether pictures i and j show the same, up to a slight move, zoom and change of light.

    One step of Lucas and Kanade (1981): i as the sum of j, its slopes and its slopes growing from
    the centre, by least squares. What remains is what they do not share.
    """
    a, b = (thumbs.grey(k) - thumbs.light[k, None, None] for k in (i, j))
    b = b[:, :, :: -1 if mirrored else 1]
    across, down = b[:, 1:-1, 2:] - b[:, 1:-1, :-2], b[:, 2:, 1:-1] - b[:, :-2, 1:-1]
    inner = np.s_[..., 1:-1, 1:-1]  # where slopes are known
    y, x = (place[inner] for place in places(SIDE))
    terms = [2 * b[inner], across, down, across * x, down * y, np.ones_like(across)]
    size = (SIDE - 2) ** 2
    basis = np.stack(terms, axis=1).reshape(-1, 6, size) / 2
    wanted = a[inner].reshape(-1, size, 1)
    square = basis @ basis.transpose(0, 2, 1)
    square += 1e-5 * np.trace(square, axis1=1, axis2=2)[:, None, None] * np.eye(6, dtype=np.float32)
    parts = np.linalg.solve(square, basis @ wanted)[..., 0]
    rest = (wanted[..., 0] - (parts[:, None] @ basis)[:, 0]).std(1)
    same: NDArray[np.bool_] = rest < UNEXPLAINED * thumbs.spread[i]
    same &= (parts[:, 0] < CONTRAST) & (parts[:, 0] > 1 / CONTRAST)
    same &= np.abs(thumbs.light[i] - thumbs.light[j]) < LIGHT
    a, b = (thumbs.pixels[k[same]] - thumbs.grey(k[same])[..., None] for k in (i, j))
    same[same] = np.abs(a - b[:, :, :: -1 if mirrored else 1]).mean((1, 2, 3)) < COLOUR
    return same


def _unchained(group: Ints, links: Ints, thumbs: Thumbs) -> Ints:
    """Groups whose members are all like their most linked one.

    Where A is like B, B like C and so on (a slide cut into overlapping patches), all would be one
    group, and its ends would have nothing in common.
    """
    degree = np.bincount(links.ravel(), minlength=len(group))
    linked = np.flatnonzero(degree)
    linked = linked[np.argsort(group[linked], kind="stable")]
    for members in np.split(linked, np.flatnonzero(np.diff(group[linked])) + 1):
        while len(members):
            even, odd = thumbs.even[members], thumbs.odd[members]
            centre = np.argmax(degree[members])
            alike = even @ even[centre] + np.abs(odd @ odd[centre]) > LOOSE
            alike[centre] = True
            group[members[alike]] = members[centre]
            members = members[~alike]
    return group


def _first(values: NDArray[Any]) -> Ints:
    """For each value, the index of the first that equals it."""
    _, first, which = np.unique(values, return_index=True, return_inverse=True)
    return first[which.reshape(-1)]
