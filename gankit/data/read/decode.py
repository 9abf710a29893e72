"""One picture file of any kind -> a plain picture in RGB or grey; a broken one says why."""

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
from PIL import (  # each plugin makes itself known to Pillow; some of its others start programs
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageColor,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from gankit.data.read.names import printable

with contextlib.suppress(Exception):  # libtiff would complain straight to the terminal
    ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)  # type: ignore[attr-defined]
logging.getLogger("PIL").addHandler(logging.NullHandler())  # and Pillow too, were there none

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")  # also of the sloppy
STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", *TIFF_STARTS)
BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # "BM" alone may begin any text

MOST_PIXELS = 200_000_000  # a larger picture is taken for a decompression bomb
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # from here on Pillow warns; it refuses twice as many
CUT_OFF = re.compile("truncated|not (large )?enough|incomplete", re.IGNORECASE)
DRAFT = 1.25  # a JPEG may be decoded at a reduced scale, at so many times the size wanted
EXTENT: Any = ("gankit", "extent")  # a key of Image.info that no file can hold: theirs are text

ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WHITES = 1.0, 255.0, 4095.0, 65535.0  # the largest value of floats, and of 8, 12 and 16 bits


def decode(path: str | Path, at_least: int = 0, background: str = "white") -> Image.Image:
    """The picture in a file, upright, in mode RGB, or L where the file itself is grey.

    `at_least` > 0 lets a JPEG be decoded at 1/2, 1/4 or 1/8, its sides a quarter above that size.
    Animations and files of several pages give their first picture. Colour profiles are ignored:
    numbers are taken for sRGB, so wide-gamut photos come out a little pale and CMYK a little
    garish. What cannot be read is a ValueError with a short reason on one line.
    """
    try:
        about = os.stat(path)  # noqa: PTH116 - takes both kinds of path
        if not stat.S_ISREG(about.st_mode):  # to open a pipe would be to wait for ever
            raise _Unfit("is no file, but a folder, a pipe or a device")
        if not about.st_size:
            raise _Unfit("is empty")
        with _QUIET, open(path, "rb") as file:  # noqa: PTH123
            return opaque(_upright(_loaded(file, at_least)), background)
    except Exception as error:  # of a broken file, Pillow raises nearly anything
        raise ValueError(why(error)) from error


def decode_bytes(data: bytes, at_least: int = 0, background: str = "white") -> Image.Image:
    """The same for a picture file that is in memory already."""
    try:
        if not data:
            raise _Unfit("is empty")
        with _QUIET:
            return opaque(_upright(_loaded(io.BytesIO(data), at_least)), background)
    except Exception as error:  # as above
        raise ValueError(why(error)) from error


def _loaded(file: BinaryIO, at_least: int) -> Image.Image:
    if not _begins_as_picture(file):
        raise _Unfit("is no picture")
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError(f"{image.width}x{image.height} pixels")
        small = image.draft(None, (int(DRAFT * at_least),) * 2) if at_least else None
        image.load()
        if small:
            image.info[EXTENT] = image.size, small[1]
        return image


def looks_like_picture(path: str | Path) -> bool:
    """Whether a file begins as the kinds that are read do, whatever its name."""
    with open(path, "rb") as file:  # noqa: PTH123 - takes both kinds of path
        return _begins_as_picture(file)


def _begins_as_picture(file: BinaryIO) -> bool:
    start = file.read(18)
    if start.startswith(b"BM"):
        return int.from_bytes(start[14:18], "little") in BMP_HEADERS
    return start.startswith(STARTS) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


class _Unfit(ValueError):
    """A reason that is worded already."""


def why(error: Exception) -> str:
    """What is wrong with a file, in a few words: "is cut off", "cannot be read: ..."."""
    words = " ".join(str(error).split())
    if isinstance(error, _Unfit):
        return words
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+x\d+ pixels|\d+ pixels", words)
        return f"is too large: {pixels[0] if pixels else words}"
    if isinstance(error, MemoryError):
        return "is too large for this computer's memory"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror.lower()}"
    if isinstance(error, EOFError) or CUT_OFF.search(words):
        return "is cut off"
    if isinstance(error, OSError | SyntaxError):
        return "is broken or cut off"  # "decoder error -2" would help nobody
    return f"is broken: {printable(words)[:100] or type(error).__name__}"


def extent(image: Image.Image) -> tuple[float, float, float, float]:
    """Where the picture lies in its pixels: left, top, right, bottom.

    A quarter of 333 rows is 83.25, so at that scale a quarter of row 84 is picture. To take all
    of it for picture would shift the middle: 37 dB instead of 51 from half scale to 64 pixels.
    """
    size, box = image.info.get(EXTENT, (None, None))
    return box if size == image.size else (0, 0, *image.size)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the camera says it was held."""
    try:
        orientation: Any = image.getexif().get(ORIENTATION)
        turn = TURNS.get(orientation)
    except Exception:  # a broken remark about the camera spoils no picture
        turn = None
    if turn is None:
        return image
    left, top, right, bottom = extent(image)
    image = image.transpose(turn)
    if orientation >= 5:  # rows become columns
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 6, 7):
        left, right = image.width - right, image.width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = image.height - bottom, image.height - top
    image.info[EXTENT] = image.size, (left, top, right, bottom)
    return image


def opaque(image: Image.Image, background: str = "white") -> Image.Image:
    """A picture of any mode in RGB, or L if it is grey: 8 bits, nothing transparent."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _eight_bits(image)
    if image.has_transparency_data:
        colour = ImageColor.getrgb(background)[:3]
        grey = _is_grey(image) and len(set(colour)) == 1
        under, over = Image.new("RGB", image.size, colour), image.convert("RGBA")
        under.paste(over, mask=over)
        return under.convert("L") if grey else under
    mode = "L" if _is_grey(image) else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _is_grey(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return image.mode in ("1", "L", "LA", "La")
    palette = image.getpalette("RGB") or []
    return palette[0::3] == palette[1::3] == palette[2::3]


def _eight_bits(image: Image.Image) -> Image.Image:
    """Deep grey (16 or 32 bits, floats) in 8 bits.

    Files do not say what their white is: a 12-bit microscope writes 0-4095 into 16 bits. So white
    is the first of 255, 4095 and 65535 (for floats also 1) that holds the largest value. Where
    none does, or values are negative, they are stretched from the least to the greatest.
    """
    values = np.asarray(image)
    floats = values.dtype.kind == "f"
    if floats:
        values = np.nan_to_num(values, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    slack = 1.1 if floats else 1.0  # sharpening leaves values a little above white
    whites = [white for white in WHITES[not floats :] if high <= slack * white]
    kind: type[np.floating[Any]] = np.float32
    if low < 0 or not whites:
        values, whites, kind = values.astype(np.float64) - low, [high - low], np.float64
    scaled = values.astype(kind) * (255 / max(whites[0], 1e-300)) + 0.5
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8))


class _Quiet:
    """`warnings.catch_warnings`, but for many threads at once: Pillow's are not for our readers.

    The first thread in silences them, the last one out restores what was there.
    """

    def __init__(self) -> None:
        self.lock, self.inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.caught = warnings.catch_warnings()
                self.caught.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self.inside += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.caught.__exit__(None, None, None)


_QUIET = _Quiet()
