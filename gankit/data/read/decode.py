"""One picture file of any format -> a picture in RGB or grey, or a ValueError that says why not."""

import contextlib
import ctypes
import io
import logging
import os
import re
import stat
import threading
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageColor

from gankit.data.messages import NOT_A_FILE, format_is_missing, kind_not_read
from gankit.data.read.formats import (
    FIRST_BYTES,
    is_missing,
    looks_like_picture,
    picture_format,
    starts_like_picture,
)
from gankit.data.read.names import printable

__all__ = [
    "decode",
    "decode_bytes",
    "describe_error",
    "extent",
    "looks_like_picture",
    "open_picture",
    "starts_like_picture",
    "to_rgb_or_grey",
]

with contextlib.suppress(Exception):  # libtiff would print its errors to the terminal
    ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)  # type: ignore[attr-defined]
logging.getLogger("PIL").addHandler(logging.NullHandler())  # and so would Pillow without it

MAX_PIXELS = 200_000_000  # a larger picture is treated as a decompression bomb
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow warns above this, and refuses twice as many
COMPLETE = {"GIF", "JPEG", "PNG", "WEBP"}  # formats of which Pillow reads every kind
TRUNCATED = re.compile("truncated|not (large )?enough|incomplete", re.IGNORECASE)
DRAFT_SCALE = 1.25  # a JPEG may be decoded at a reduced scale, if this times the size remains
EXTENT_KEY: Any = ("gankit", "extent")  # in Image.info; keys that come from files are strings

ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WHITE_LEVELS = (1.0, 255.0, 4095.0, 65535.0)  # white in floats, and in 8, 12 and 16 bits


def decode(path: str | Path, min_size: int = 0, background: str = "white") -> Image.Image:
    """The picture in a file, upright, in mode RGB, or L if the file itself is grey.

    With `min_size` > 0, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
    stay a quarter above `min_size` pixels. Animations and files of several pages give their first
    picture. Colour profiles are ignored: values are read as sRGB, so wide-gamut photos come out a
    little pale and CMYK a little too vivid. Raises ValueError with a short reason on one line.
    """
    try:
        info = os.stat(path)  # noqa: PTH116 - takes both kinds of path
        if not stat.S_ISREG(info.st_mode):  # opening a pipe would wait forever
            raise _NotReadable(NOT_A_FILE)
        if not info.st_size:
            raise _NotReadable("is empty")
        with _NO_PILLOW_WARNINGS, open(path, "rb") as file:  # noqa: PTH123
            return _decode_file(file, min_size, background)
    except Exception as error:  # on a broken file, Pillow raises nearly anything
        raise ValueError(describe_error(error)) from error


def decode_bytes(data: bytes, min_size: int = 0, background: str = "white") -> Image.Image:
    """The same as `decode`, for the bytes of a picture file."""
    try:
        if not data:
            raise _NotReadable("is empty")
        with _NO_PILLOW_WARNINGS:
            return _decode_file(io.BytesIO(data), min_size, background)
    except Exception as error:  # on a broken file, Pillow raises nearly anything
        raise ValueError(describe_error(error)) from error


def _decode_file(file: BinaryIO, min_size: int, background: str) -> Image.Image:
    image = _load(file, min_size)
    return to_rgb_or_grey(_rotate_upright(image), background)


def _load(file: BinaryIO, min_size: int) -> Image.Image:
    with open_picture(file) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError(f"{image.width}x{image.height} pixels")
        draft = None
        if min_size:
            side = int(DRAFT_SCALE * min_size)
            draft = image.draft(None, (side, side))
        image.load()
        if draft:
            image.info[EXTENT_KEY] = image.size, draft[1]
        return image


def open_picture(file: BinaryIO) -> Image.Image:
    """The picture in an open file, with its header read but not its pixels."""
    name = picture_format(file.read(FIRST_BYTES))
    if not name:
        raise _NotReadable("is not a picture")
    if is_missing(name):
        raise _NotReadable(format_is_missing(name))
    try:
        return Image.open(file, formats=(name,))
    except Exception as error:  # what a plugin does not know, it says with nearly any error
        is_about_kind = not isinstance(error, Image.DecompressionBombError | MemoryError)
        if name in COMPLETE or getattr(error, "errno", None) or not is_about_kind:
            raise
        raise _NotReadable(kind_not_read(name)) from error


class _NotReadable(ValueError):
    """A reason that needs no further description."""


def describe_error(error: Exception) -> str:
    """What is wrong with a file, in a few words: "is cut off", "cannot be read: ..."."""
    text = " ".join(str(error).split())
    if isinstance(error, _NotReadable):
        return text
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+x\d+ pixels|\d+ pixels", text)
        size = pixels[0] if pixels else text
        return f"is too large: {size}; gankit reads up to {MAX_PIXELS // 1_000_000} million"
    if isinstance(error, MemoryError):
        return "is too large for this computer's memory"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror.lower()}"
    if isinstance(error, EOFError) or TRUNCATED.search(text):
        return "is cut off"
    if isinstance(error, OSError | SyntaxError):
        return "is broken or cut off"  # Pillow's own "decoder error -2" would help nobody
    return f"is broken: {printable(text)[:100] or type(error).__name__}"


def extent(image: Image.Image) -> tuple[float, float, float, float]:
    """The part of the image that the picture covers: left, top, right, bottom, in pixels.

    At a reduced scale this need not be whole pixels: a quarter of 333 rows is 83.25, so only a
    quarter of row 84 is picture. Counting all of that row would shift the middle: 37 dB instead of
    51 when half scale is resized to 64 pixels.
    """
    size, box = image.info.get(EXTENT_KEY, (None, None))
    return box if size == image.size else (0, 0, *image.size)


def _rotate_upright(image: Image.Image) -> Image.Image:
    """The image rotated and mirrored as its EXIF orientation says."""
    try:
        orientation: Any = image.getexif().get(ORIENTATION)
        transpose = TRANSPOSES.get(orientation)
    except Exception:  # a picture with broken EXIF data is still a picture
        transpose = None
    if transpose is None:
        return image
    left, top, right, bottom = extent(image)
    image = image.transpose(transpose)
    if orientation >= 5:  # rows become columns
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 6, 7):  # left and right change places
        left, right = image.width - right, image.width - left
    if orientation in (3, 4, 7, 8):  # top and bottom change places
        top, bottom = image.height - bottom, image.height - top
    image.info[EXTENT_KEY] = image.size, (left, top, right, bottom)
    return image


def to_rgb_or_grey(image: Image.Image, background: str = "white") -> Image.Image:
    """An image of any mode in RGB, or in L if it is grey: 8 bits, nothing transparent."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _to_8_bits(image)
    if image.has_transparency_data:
        colour = ImageColor.getrgb(background)[:3]
        stays_grey = _is_grey(image) and len(set(colour)) == 1
        canvas = Image.new("RGB", image.size, colour)
        rgba = image.convert("RGBA")
        canvas.paste(rgba, mask=rgba)
        return canvas.convert("L") if stays_grey else canvas
    mode = "L" if _is_grey(image) else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _is_grey(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return image.mode in ("1", "L", "LA", "La")
    palette = image.getpalette("RGB") or []
    return palette[0::3] == palette[1::3] == palette[2::3]


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Deep grey (16 or 32 bits, floats) in 8 bits.

    Files do not say which value is white: a 12-bit microscope writes 0-4095 into 16 bits. So white
    is the first of 255, 4095 and 65535 (for floats also 1) that is not below the largest value. If
    none is, or if values are negative, the range from the smallest to the largest is stretched.
    """
    values = np.asarray(image)
    is_float = values.dtype.kind == "f"
    if is_float:
        values = np.nan_to_num(values, posinf=0, neginf=0)
    low = float(values.min())
    high = float(values.max())
    tolerance = 1.1 if is_float else 1.0  # sharpening leaves values a little above white
    levels = WHITE_LEVELS if is_float else WHITE_LEVELS[1:]
    white = next((level for level in levels if high <= tolerance * level), None)
    scaled: np.ndarray[Any, Any]
    if low < 0 or white is None:
        scaled = (values.astype(np.float64) - low) * (255 / max(high - low, 1e-300))
    else:
        scaled = values.astype(np.float32) * (255 / white)
    return Image.fromarray((scaled + 0.5).clip(0, 255).astype(np.uint8))


class _NoPillowWarnings:
    """`warnings.catch_warnings` for many threads at once: users cannot act on Pillow's warnings.

    The first thread to enter silences them, and the last one to leave restores the filters.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads_inside = 0

    def __enter__(self) -> None:
        with self.lock:
            if not self.threads_inside:
                self.catcher = warnings.catch_warnings()
                self.catcher.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self.threads_inside += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.threads_inside -= 1
            if not self.threads_inside:
                self.catcher.__exit__(None, None, None)


_NO_PILLOW_WARNINGS = _NoPillowWarnings()
