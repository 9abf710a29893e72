"""Which pictures are the same, or nearly: a thumbnail of each, and groups of duplicates.

Copies may be saved again as JPEG, resized, trimmed at the edges, a little brighter, or mirrored.
So thumbnails are compared: two pictures are the same if one thumbnail is the other, slightly
moved, zoomed or changed in brightness. All pairs of similar brightness are compared, by matrix
products of their coarse detail. Buckets of hash bits would be faster for millions of pictures, but
they miss trimmed copies and become slow on sets of similar pictures; this takes some seconds for
50,000 pictures of any kind.
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

from gankit.data.alpha import flatten
from gankit.data.store.thumbnails import (
    SIDE,
    Features,
    Floats,
    Ints,
    compute_features,
    pixel_grid,
)

THUMBNAIL_GREY = 128  # level behind transparent pictures
THUMBNAIL = np.dtype([("digest", "<u8"), ("pixels", "u1", (SIDE, SIDE, 3))])

# Measured on photos, paintings, cells, tissue and drawn flowers. Copies trimmed by up to 3 % at
# each side have a correlation above 0.91 (98 of 100) and leave less than 0.3 of their detail
# unexplained (90 of 100), other copies less than 0.15; different pictures left 0.37 and more.
MIN_CORRELATION = 0.9  # of coarse detail: from here on two pictures are compared closely
MAX_UNEXPLAINED = 0.3  # share of a picture's detail that differs in a copy
MIN_CENTRE_CORRELATION = 0.7  # of a group's member with its centre: prevents chains
MIN_CONTRAST = 2.0  # levels of 255: less detail than this is noise
MAX_BRIGHTNESS_CHANGE = 20.0  # levels by which the mean of a copy may differ: 8 % of white
MAX_CONTRAST_RATIO = 1.3
MAX_COLOUR_CHANGE = 10.0  # levels; a picture in other colours is a different picture
# Compared at a time, so that the products stay in the processor's cache.
BLOCK_ROWS = 256
BLOCK_COLUMNS = 512
THIN_ROWS = 16  # 16 x 32 x 512 is the largest product that OpenBLAS computes in one thread
MAX_PAIRS = 2048  # compared closely at a time: about 30 MB
CANDIDATES = 2  # closest pictures per row and block; copies of copies are joined anyway

Thumbnails = NDArray[np.void]  # (N,) of THUMBNAIL


def make_thumbnail(pixels: NDArray[np.uint8]) -> Thumbnails:
    """The thumbnail of one picture (H, W, C) or (H, W), shape (); stack them with np.stack.

    `digest` is a hash of the full picture. A transparent picture lies on grey.
    """
    pixels = np.ascontiguousarray(pixels)
    shown = flatten(pixels, THUMBNAIL_GREY) if pixels.ndim == 3 else pixels
    image = Image.fromarray(shown[..., 0] if shown.shape[2:] == (1,) else shown)
    if image.width % SIDE or image.height % SIDE:
        image = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    else:  # the same result, much faster
        image = image.reduce((image.width // SIDE, image.height // SIDE))
    small = np.asarray(image)
    result = np.empty((), THUMBNAIL)
    result["digest"] = np.frombuffer(sha256(pixels.data).digest(), "<u8", 1)[0]
    result["pixels"] = small if small.ndim == 3 else small[..., None]
    return result


def find_exact_copies(thumbnails: Thumbnails) -> Ints:
    """For each picture, the index of the first picture with exactly the same pixels."""
    return _first_equal(thumbnails["digest"])


def group_near_duplicates(thumbnails: Thumbnails) -> Ints:
    """For each picture, the index of the first picture in its group of exact and near copies."""
    exact = find_exact_copies(thumbnails)
    unique = np.flatnonzero(exact == np.arange(len(thumbnails)))
    features = compute_features(thumbnails["pixels"][unique])
    plain = np.flatnonzero(features.contrast < MIN_CONTRAST)
    detailed = np.argsort(features.brightness, kind="stable")
    detailed = detailed[features.contrast[detailed] >= MIN_CONTRAST]
    group = np.arange(len(unique))
    # Plain pictures show nothing to compare, so they are the same only if every value is.
    values = np.ascontiguousarray(features.pixels[plain]).reshape(-1).view(f"V{3 * SIDE * SIDE}")
    group[plain] = plain[_first_equal(values)]
    group[detailed] = detailed[_group_detailed(features.select(detailed))]
    return unique[_first_equal(group)][np.searchsorted(unique, exact)]


def is_plain(thumbnails: Thumbnails) -> NDArray[np.bool_]:
    """Which pictures (N,) are one flat colour or a smooth gradient, without any detail."""
    return compute_features(thumbnails["pixels"]).contrast < MIN_CONTRAST


def mean_correlation(thumbnails: Thumbnails) -> float:
    """Mean correlation of the coarse detail of all pairs: 1 if all pictures are framed alike."""
    count = len(thumbnails)
    pairs = count * (count - 1)
    features = compute_features(thumbnails["pixels"])
    total = sum(float((half.sum(0) ** 2).sum()) for half in (features.even, features.odd))
    return (total - count) / pairs if pairs else 0.0


def _group_detailed(features: Features) -> Ints:
    """Groups of thumbnails that are sorted by brightness, none of them plain."""
    count = len(features.brightness)
    links = np.empty((0, 2), np.intp)
    group = np.arange(count)
    for mirrored, i, j in _candidate_pairs(features):
        is_new = group[i] != group[j]
        i = i[is_new]
        j = j[is_new]
        same = _are_copies(features, i, j, mirrored=mirrored)
        if same.any():
            links = np.concatenate([links, np.stack([i[same], j[same]], axis=1)])
            group = _connected_components(links, count)
    return _split_chains(_first_equal(group), links, features)


def _connected_components(links: Ints, count: int) -> Ints:
    """For each of `count` pictures, the number of its connected component under the links."""
    from scipy.sparse import coo_array  # most runs find their groups in the cache
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links)), tuple(links.T)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component, np.intp)


def _candidate_pairs(features: Features) -> Iterator[tuple[bool, Ints, Ints]]:
    """Pairs to compare closely, MAX_PAIRS at a time: (whether mirrored, first, second)."""
    tops = range(0, len(features.brightness), BLOCK_ROWS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for candidates in pool.map(partial(_candidates_of_rows, features), tops):
            yield from _split_pairs(candidates)


def _split_pairs(candidates: dict[bool, Ints]) -> Iterator[tuple[bool, Ints, Ints]]:
    for mirrored, pairs in candidates.items():
        for start in range(0, pairs.shape[1], MAX_PAIRS):
            first, second = pairs[:, start : start + MAX_PAIRS]
            yield mirrored, first, second


def _candidates_of_rows(features: Features, top: int) -> dict[bool, Ints]:
    """Pairs (2, M) of one of BLOCK_ROWS pictures and a later similar one, by `mirrored`."""
    candidates: dict[bool, list[Ints]] = {False: [], True: []}
    rows = slice(top, top + BLOCK_ROWS)
    brightest = features.brightness[rows][-1] + MAX_BRIGHTNESS_CHANGE
    end = int(np.searchsorted(features.brightness, brightest))
    for left in range(top, end, BLOCK_COLUMNS):
        columns = slice(left, min(left + BLOCK_COLUMNS, end))
        even = _product(features.even[rows], features.even[columns])
        odd = _product(features.odd[rows], features.odd[columns])
        if left < top + BLOCK_ROWS:  # each pair once, and no picture with itself
            even[np.tril_indices(len(even), top - left, even.shape[1])] = -2
        for mirrored in (False, True):
            pairs = _closest_columns(even - odd if mirrored else even + odd)
            candidates[mirrored].append(pairs + np.array([[top], [left]]))
    return {mirrored: np.concatenate(pairs, axis=1) for mirrored, pairs in candidates.items()}


def _product(a: Floats, b: Floats) -> Floats:
    """a @ b.T, in parts that are too small for the threads of BLAS.

    Those threads would wait for one another and for ours: 50 times as long on a busy computer.
    """
    thin = np.zeros((-(-len(a) // THIN_ROWS), THIN_ROWS, a.shape[1]), np.float32)
    thin.reshape(-1, a.shape[1])[: len(a)] = a
    return (thin @ np.ascontiguousarray(b.T)).reshape(-1, len(b))[: len(a)]


def _closest_columns(correlation: Floats) -> Ints:
    """(2, M), rows and columns: up to CANDIDATES columns of each row above MIN_CORRELATION.

    Overwrites some of the correlations.
    """
    pairs: list[Ints] = []
    rows = np.arange(len(correlation))
    for _ in range(CANDIDATES):
        best = correlation[rows].argmax(1) if pairs else correlation.argmax(1)
        good = correlation[rows, best] > MIN_CORRELATION
        rows = rows[good]
        best = best[good]
        pairs.append(np.stack([rows, best]))
        if not len(rows):
            break
        correlation[rows, best] = -2
    return np.concatenate(pairs, axis=1)


def _are_copies(features: Features, i: Ints, j: Ints, *, mirrored: bool) -> NDArray[np.bool_]:
    """Whether pictures i and j are the same, up to a slight move, zoom and change of brightness.

    One step of Lucas and Kanade (1981): i is fitted, by least squares, as a sum of j, the slopes
    of j (a move) and its slopes that grow from the centre (a zoom). What remains is not shared.
    """
    flip = -1 if mirrored else 1
    a = features.grey(i) - features.brightness[i, None, None]
    b = (features.grey(j) - features.brightness[j, None, None])[:, :, ::flip]
    inner = np.s_[..., 1:-1, 1:-1]  # where slopes can be computed
    slope_x = b[:, 1:-1, 2:] - b[:, 1:-1, :-2]
    slope_y = b[:, 2:, 1:-1] - b[:, :-2, 1:-1]
    y, x = (grid[inner] for grid in pixel_grid(SIDE))
    terms = [2 * b[inner], slope_x, slope_y, slope_x * x, slope_y * y, np.ones_like(slope_x)]
    size = (SIDE - 2) ** 2
    basis = np.stack(terms, axis=1).reshape(-1, 6, size) / 2
    target = a[inner].reshape(-1, size, 1)
    gram = basis @ basis.transpose(0, 2, 1)
    gram += 1e-5 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(6, dtype=np.float32)
    weights = np.linalg.solve(gram, basis @ target)[..., 0]
    residual = (target[..., 0] - (weights[:, None] @ basis)[:, 0]).std(1)
    same: NDArray[np.bool_] = residual < MAX_UNEXPLAINED * features.contrast[i]
    same &= (weights[:, 0] < MAX_CONTRAST_RATIO) & (weights[:, 0] > 1 / MAX_CONTRAST_RATIO)
    same &= np.abs(features.brightness[i] - features.brightness[j]) < MAX_BRIGHTNESS_CHANGE
    colour_i = features.pixels[i[same]] - features.grey(i[same])[..., None]
    colour_j = features.pixels[j[same]] - features.grey(j[same])[..., None]
    change = np.abs(colour_i - colour_j[:, :, ::flip]).mean((1, 2, 3))
    same[same] = change < MAX_COLOUR_CHANGE
    return same


def _split_chains(group: Ints, links: Ints, features: Features) -> Ints:
    """Split groups until all members are similar to the member with the most links.

    Where A resembles B, B resembles C and so on (a slide cut into overlapping patches), all of them
    would be one group whose ends have nothing in common.
    """
    degree = np.bincount(links.ravel(), minlength=len(group))
    linked = np.flatnonzero(degree)
    linked = linked[np.argsort(group[linked], kind="stable")]
    for members in np.split(linked, np.flatnonzero(np.diff(group[linked])) + 1):
        while len(members):
            even = features.even[members]
            odd = features.odd[members]
            centre = np.argmax(degree[members])
            similar = even @ even[centre] + np.abs(odd @ odd[centre]) > MIN_CENTRE_CORRELATION
            similar[centre] = True
            group[members[similar]] = members[centre]
            members = members[~similar]
    return group


def _first_equal(values: NDArray[Any]) -> Ints:
    """For each value, the index of the first value that equals it."""
    _, first, which = np.unique(values, return_index=True, return_inverse=True)
    return first[which.reshape(-1)]
