"""Transparent pictures: how gankit keeps them, and how it shows and saves them.

With four channels, pixels hold *premultiplied* colour: red, green and blue times alpha, the share
of the pixel that is covered; then alpha. G learns to draw these, and D judges these, because

- a file may hold any colour behind alpha 0. Premultiplied, all of them are the same four zeros, so
  that D cannot learn what nobody sees;
- resizing, zoom and blur take means of pixels. Means of premultiplied colours are right; means of
  the colours in a file mix hidden ones into the edges.

Files hold colours that are not premultiplied, so what is saved is divided by alpha again.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
ALPHA = 4  # channels of pictures with transparency
LIGHT = 255  # the two greys of a checkerboard
DARK = 205
SQUARES = 8  # of a checkerboard, across a small picture
MAX_SQUARE = 16  # pixels


def unpremultiply(pixels: Bytes) -> Bytes:
    """Premultiplied pixels (..., 4) as files hold them: RGBA; where alpha is 0, black.

    G may draw more colour than alpha allows; the rest is cut off.
    """
    colour, alpha = _split(pixels)
    straight = (colour * 255 + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate([straight, alpha], axis=-1).astype(np.uint8)


def flatten(pixels: Bytes, level: Any) -> Bytes:
    """Premultiplied pixels (..., 4) on a grey of this level, or on levels (H, W, 1): (..., 3).

    Pixels of one or three channels are returned as they are.
    """
    if pixels.shape[-1] != ALPHA:
        return pixels
    colour, alpha = _split(pixels)
    behind = ((255 - alpha) * np.asarray(level, np.uint32) + 127) // 255
    return (colour + behind).astype(np.uint8)


def _split(pixels: Bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Colour (..., 3), no more than alpha allows, and alpha (..., 1)."""
    wide = pixels.astype(np.uint32)
    alpha = wide[..., 3:]
    return np.minimum(wide[..., :3], alpha), alpha


def checkerboard(height: int, width: int) -> Bytes:
    """The levels (H, W, 1) of a checkerboard that stands for transparency.

    A picture has eight squares across, or more if they would be larger than 16 pixels.
    """
    square = min(MAX_SQUARE, max(1, min(height, width) // SQUARES))
    rows = np.arange(height)[:, None, None] // square
    columns = np.arange(width)[:, None] // square
    return np.where((rows + columns) % 2, DARK, LIGHT).astype(np.uint8)


def on_checkerboard(picture: Image.Image) -> Image.Image:
    """An RGBA picture in RGB, on a checkerboard; any other picture as it is."""
    if picture.mode != "RGBA":
        return picture
    levels = checkerboard(picture.height, picture.width)[..., 0]
    board = Image.fromarray(levels).convert("RGB")
    board.paste(picture, mask=picture)
    return board
