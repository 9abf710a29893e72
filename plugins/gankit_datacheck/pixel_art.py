"""Pixel art: pictures of few colours and hard edges, often saved with each pixel as a large square.

Resized by a smooth filter, their edges become blurred and get colours of their own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

MAX_COLOURS = 256  # of art whose pixels were enlarged; noise and JPEG make thousands
MAX_COLOURS_AT_ONCE = 32  # of art that was not: smooth drawings of this size have more
MAX_BLENDED = 0.3  # of its edges; pixels that are shaded by hand lie side by side
MIN_SIDE = 8  # pixels of the art
MAX_SIDE = 128


class Art(NamedTuple):
    """A picture as its author drew it."""

    width: int  # pixels of the art
    height: int
    square: int  # pixels of the file, on a side, that show one of them


def find_art(picture: Image.Image) -> Art | None:
    """The art in a picture in RGB or grey; None if it is not pixel art."""
    colours = picture.getcolors(MAX_COLOURS)  # None if it has more, which is found at once
    if colours is None or len(colours) < 2:
        return None
    pixels = np.asarray(picture)
    square = math.gcd(*pixels.shape[:2], *_edges(pixels), *_edges(pixels.swapaxes(0, 1)))
    width = picture.width // square
    height = picture.height // square
    is_of_its_size = min(width, height) >= MIN_SIDE and max(width, height) <= MAX_SIDE
    if not is_of_its_size:
        return None
    if square == 1 and (len(colours) > MAX_COLOURS_AT_ONCE or _blended(pixels) > MAX_BLENDED):
        return None
    return Art(width, height, square)


def _blended(pixels: np.ndarray) -> float:
    """The share of edges in pixels (H, W) or (H, W, C) with a mixture of both sides on them."""
    wide = pixels.reshape(*pixels.shape[:2], -1)
    num_edges = 0
    num_blended = 0
    for rows in (wide, wide.swapaxes(0, 1)):
        first = rows[:-2]
        middle = rows[1:-1]
        last = rows[2:]
        is_edge = (first != last).any(axis=2)
        is_between = (np.minimum(first, last) <= middle) & (middle <= np.maximum(first, last))
        is_new = (middle != first).any(axis=2) & (middle != last).any(axis=2)
        num_edges += int(is_edge.sum())
        num_blended += int((is_edge & is_new & is_between.all(axis=2)).sum())
    return num_blended / max(num_edges, 1)


def _edges(pixels: np.ndarray) -> list[int]:
    """The rows of pixels (H, W) or (H, W, C) that differ from the row before."""
    flat = pixels.reshape(len(pixels), -1)
    places: list[int] = (np.flatnonzero((flat[1:] != flat[:-1]).any(axis=1)) + 1).tolist()
    return places
