"""One picture file of any format -> a picture in RGB or grey, or a ValueError that says why not.

If the background is None, what is transparent stays so: a transparent picture is in RGBA.
"""

import contextlib
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageColor, ImageFile

from gankit.core.printable import printable
from gankit.data.messages import NOT_A_FILE, kind_not_read
from gankit.data.read.deep import (
    DeepPicture,
    Range,
    SharedRanges,
    is_deep,
    measure,
    read_deep,
    to_8_bits,
)
from gankit.data.read.formats import (
    FIRST_BYTES,
    NotReadable,
    looks_like_picture,
    open_as,
    picture_format,
    recognise,
    starts_like_picture,
)
from gankit.data.read.in_flight import DECODING, DEEP_WEIGHT, MEASURING, PixelBudget
from gankit.data.read.limits import MAX_PIXELS, check_cost, check_icon, check_size, check_speed
from gankit.data.read.silence import NO_PILLOW_WARNINGS
from gankit.data.read.tiff import pillow_misreads, read_tiff
from gankit.data.read.upright import orientation, rotate_upright, set_extent

__all__ = [
    "decode",
    "decode_bytes",
    "decoded",
    "describe_error",
    "looks_like_picture",
    "starts_like_picture",
    "to_rgb_or_grey",
]

DEEP_FORMATS = {"JPEG2000", "PNG", "PPM", "TIFF"}  # formats that may have more than 8 bits
EMPTY = "is empty"
TRUNCATED = re.compile("truncated|not (large )?enough|incomplete", re.IGNORECASE)
DRAFT_SCALE = 1.25  # a JPEG may be decoded at a reduced scale, if this times the size remains


def decode(
    path: str | Path,
    min_size: int = 0,
    background: str | None = "white",
    ranges: SharedRanges | None = None,
) -> Image.Image:
    """The picture in a file, upright, in mode RGB, or L if the file itself is grey.

    With `min_size` > 0, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
    stay a quarter above `min_size` pixels. Animations and files of several pages give their first
    picture. Pictures of more than 8 bits get the black and white of `ranges`, or their own. Colour
    profiles are ignored: values are read as sRGB, so wide-gamut photos come out a little pale and
    CMYK a little too vivid. Raises ValueError with a short reason on one line.
    """
    with decoded(path, min_size, background, ranges) as image:
        return image


def decode_bytes(
    data: bytes,
    min_size: int = 0,
    background: str | None = "white",
    ranges: SharedRanges | None = None,
) -> Image.Image:
    """The same as `decode`, for the bytes of a picture file."""
    with decoded(data, min_size, background, ranges) as image:
        return image


@contextlib.contextmanager
def decoded(
    picture: str | Path | bytes,
    min_size: int = 0,
    background: str | None = "white",
    ranges: SharedRanges | None = None,
) -> Iterator[Image.Image]:
    """The same as `decode`, for a path or the bytes of a file.

    Until the block ends, its pixels count as in flight, and may make other threads wait.
    """
    with contextlib.ExitStack() as held:
        with _opened(picture) as file:
            image = _decode_file(file, min_size, background, ranges, held)
        yield image


def measure_range(picture: str | Path | bytes) -> Range | None:
    """The range of a deep picture's values (a path or the bytes of a file).

    None if it has 8 bits, says itself what is white, or cannot be read.
    """
    with contextlib.suppress(ValueError), _opened(picture) as file:
        if picture_format(file.read(FIRST_BYTES)) in DEEP_FORMATS:
            file.seek(0)
            with contextlib.ExitStack() as held:
                loaded, _ = _load(file, 0, MEASURING, held)
                if isinstance(loaded, DeepPicture) and not loaded.white:
                    return measure(loaded)
    return None


@contextlib.contextmanager
def _opened(picture: str | Path | bytes) -> Iterator[BinaryIO]:
    """The picture's file, open; re-raises all errors as a ValueError with a short reason."""
    try:
        with NO_PILLOW_WARNINGS, _open_file(picture) as file:
            yield file
    except Exception as error:  # on a broken file, Pillow raises nearly anything
        raise ValueError(describe_error(error)) from error


def _open_file(picture: str | Path | bytes) -> BinaryIO:
    if isinstance(picture, bytes):
        if not picture:
            raise NotReadable(EMPTY)
        return io.BytesIO(picture)
    info = os.stat(picture)  # noqa: PTH116 - takes both kinds of path
    if not stat.S_ISREG(info.st_mode):  # opening a pipe would wait forever
        raise NotReadable(NOT_A_FILE)
    if not info.st_size:
        raise NotReadable(EMPTY)
    return open(picture, "rb")  # noqa: PTH123


def _decode_file(
    file: BinaryIO,
    min_size: int,
    background: str | None,
    ranges: SharedRanges | None,
    held: contextlib.ExitStack,
) -> Image.Image:
    picture, turn = _load(file, min_size, DECODING, held)
    if isinstance(picture, DeepPicture):
        picture = to_8_bits(picture, ranges.find(picture) if ranges else measure(picture))
    return to_rgb_or_grey(rotate_upright(picture, turn), background)


def _load(
    file: BinaryIO, min_size: int, budget: PixelBudget, held: contextlib.ExitStack
) -> tuple[Image.Image | DeepPicture, int]:
    """The picture or, if it is deep, its values; and its EXIF orientation.

    What it takes of the budget is given back when `held` is closed.
    """

    def take(width: int, height: int) -> None:
        check_size(width, height)
        held.enter_context(budget.take(DEEP_WEIGHT * width * height))

    name = recognise(file)
    check_icon(name, file)
    try:
        image = open_as(name, file)
    except NotReadable:
        if name != "TIFF":
            raise
        return _read_other_tiff(file, take)
    with image:
        check_cost(image, file)
        if pillow_misreads(image):
            return _read_other_tiff(file, take)
        if is_deep(image):
            take(*image.size)
            deep = read_deep(image, lambda: open_as(name, file))
            return deep, orientation(image)
        check_speed(image, file)
        full_size = image.size
        side = int(DRAFT_SCALE * min_size)
        draft = image.draft(None, (side, side)) if side else None
        # A progressive JPEG is kept in full while it is decoded.
        width, height = full_size if image.info.get("progressive") else image.size
        held.enter_context(budget.take(width * height))
        return _load_8_bits(image, draft), orientation(image)


def _load_8_bits(image: ImageFile.ImageFile, draft: Any) -> Image.Image:
    image.load()
    if draft:
        set_extent(image, draft[1])
    is_tga = image.format == "TGA" and image.mode == "RGBA"
    if is_tga and not image.getchannel("A").getbbox():
        return image.convert("RGB")  # its fourth byte is unused
    return image


def _read_other_tiff(file: BinaryIO, take: Callable[[int, int], None]) -> tuple[DeepPicture, int]:
    """A TIFF of a kind that Pillow cannot read, and its orientation."""
    try:
        return read_tiff(file, take)
    except (NotReadable, EOFError, MemoryError, Image.DecompressionBombError):
        raise
    except Exception as error:  # tifffile too raises nearly anything
        raise NotReadable(kind_not_read("TIFF")) from error


def describe_error(error: Exception) -> str:
    """What is wrong with a file, in a few words: "is cut off", "cannot be read: ..."."""
    text = " ".join(str(error).split())
    if isinstance(error, NotReadable):
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


def to_rgb_or_grey(image: Image.Image, background: str | None = "white") -> Image.Image:
    """An image of any mode in RGB, or in L if it is grey: 8 bits, transparent on the background.

    If the background is None, an image with an alpha channel is in RGBA.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        deep = DeepPicture(np.asarray(image))
        return to_8_bits(deep, measure(deep))
    if image.has_transparency_data:
        if background is None:
            return image.convert("RGBA")
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
