"""Pictures turned upright, as their EXIF orientation says, and what part of an image they cover."""

import contextlib
from typing import Any

from PIL import Image

EXTENT_KEY: Any = ("gankit", "extent")  # in Image.info; keys that come from files are strings

ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
UPRIGHT = 1
TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def extent(image: Image.Image) -> tuple[float, float, float, float]:
    """The part of the image that the picture covers: left, top, right, bottom, in pixels.

    At a reduced scale this need not be whole pixels: a quarter of 333 rows is 83.25, so only a
    quarter of row 84 is picture. Counting all of that row would shift the middle: 37 dB instead of
    51 when half scale is resized to 64 pixels.
    """
    size, box = image.info.get(EXTENT_KEY, (None, None))
    return box if size == image.size else (0, 0, *image.size)


def set_extent(image: Image.Image, box: tuple[float, float, float, float]) -> None:
    """Note the part of the image that the picture covers: left, top, right, bottom."""
    image.info[EXTENT_KEY] = image.size, box


def orientation(image: Image.Image) -> int:
    """How an image that was loaded is still to be turned; Pillow itself turns a TIFF."""
    with contextlib.suppress(Exception):  # a picture with broken EXIF data is still a picture
        turn = image.getexif().get(ORIENTATION)
        return turn if turn in TRANSPOSES else UPRIGHT
    return UPRIGHT


def rotate_upright(image: Image.Image, turn: int) -> Image.Image:
    """The image rotated and mirrored as its EXIF orientation, `turn`, says."""
    if turn not in TRANSPOSES:
        return image
    left, top, right, bottom = extent(image)
    image = image.transpose(TRANSPOSES[turn])
    if turn >= 5:  # rows become columns
        left, top, right, bottom = top, left, bottom, right
    if turn in (2, 3, 6, 7):  # left and right change places
        left, right = image.width - right, image.width - left
    if turn in (3, 4, 7, 8):  # top and bottom change places
        top, bottom = image.height - bottom, image.height - top
    set_extent(image, (left, top, right, bottom))
    return image
