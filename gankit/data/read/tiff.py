"""TIFF pictures that Pillow cannot read: deep colour, floats of any size, channels stored apart."""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile

from gankit.data.messages import NO_PIXELS
from gankit.data.read.deep import (
    TIFF_BITS,
    TIFF_SAMPLE_FORMAT,
    DeepPicture,
    divide_by_alpha,
)
from gankit.data.read.formats import NotReadable
from gankit.data.read.limits import MAX_PIXELS, check_tiles

ORIENTATION = 274
PLANAR = 284
SEPARATE = 2  # each channel is stored apart
EXTRA_CHANNELS = 338
UNSPECIFIED = (0,)
SIGNED = 2
WHITE_IS_ZERO = 0
GREY_OR_RGB = (WHITE_IS_ZERO, 1, 2)
WHITES = {"bool": 1, "uint8": 255}  # of values that are not deep
PREMULTIPLIED = (1,)  # a last channel that says how opaque a pixel is, and has dimmed the others
OPAQUE_KINDS = (PREMULTIPLIED, (2,))
# Packed parts of which the unpacked size can be limited, by TIFF's numbers; others are refused.
DECOMPRESSORS: dict[int, Callable[[], Any]] = dict.fromkeys((8, 32946), zlib.decompressobj)
PADDING_BYTES = 1 << 24
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # users cannot act on its warnings


def pillow_misreads(image: ImageFile.ImageFile) -> bool:
    """Whether Pillow opens this TIFF, but would give wrong values or drop a channel."""
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(TIFF_BITS, (1,))[0]
    is_signed_byte = bits == 8 and tags.get(TIFF_SAMPLE_FORMAT, (1,))[0] == SIGNED
    has_deep_planes = tags.get(PLANAR) == SEPARATE and bits > 8
    has_two_channels = tags.get(EXTRA_CHANNELS) == UNSPECIFIED and image.mode in ("L", "P")
    return is_signed_byte or has_deep_planes or has_two_channels


def read_tiff(file: BinaryIO, take: Callable[[int, int], None]) -> tuple[DeepPicture, int]:
    """The values of the first page, and its EXIF orientation; NotReadable says what it is.

    `take(width, height)` is called before they are read; it may wait for memory, or raise.
    """
    import tifffile  # few pictures need it

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages.first
        _refuse_odd_tags(page)
        if page.nbytes > 8 * MAX_PIXELS:
            raise Image.DecompressionBombError(f"{page.imagewidth}x{page.imagelength} pixels")
        check_tiles(page.tilewidth, page.tilelength, page.imagewidth * page.imagelength)
        take(page.imagewidth, page.imagelength)
        channels = page.samplesperpixel
        is_transparent = channels in (2, 4) and page.extrasamples[-1:] in OPAQUE_KINDS
        _refuse_other_kinds(page, channels, is_transparent)
        parts = zip(page.dataoffsets, page.databytecounts, strict=True)
        if max(offset + count for offset, count in parts) > file.seek(0, 2):
            raise EOFError
        _refuse_bombs(page, file)
        values = _read_values(page, channels)
        if not values.size:
            raise NotReadable(NO_PIXELS)
        orientation = page.tags.get(ORIENTATION)
        is_premultiplied = is_transparent and page.extrasamples[-1:] == PREMULTIPLIED
    colours = values[..., 0] if channels < 3 else values[..., :3]
    return (
        DeepPicture(
            divide_by_alpha(colours, values[..., -1]) if is_premultiplied else colours,
            values[..., -1] if is_transparent else None,
            white=WHITES.get(values.dtype.name, 0),
            is_inverted=page.photometric == WHITE_IS_ZERO,
        ),
        orientation.value if orientation else 1,
    )


def _refuse_odd_tags(page: Any) -> None:
    """Raise EOFError where the tags cannot be: sizes that are lists, or parts without a place.

    tifffile believes them, and would look for millions of parts that the file does not have.
    """
    sizes = (page.imagewidth, page.imagelength, page.imagedepth, page.samplesperpixel,
             page.tilewidth, page.tilelength)  # fmt: skip
    if not all(isinstance(size, int) for size in sizes):
        raise EOFError
    if len(page.dataoffsets) < math.prod(page.chunked):
        raise EOFError


def _refuse_other_kinds(page: Any, channels: int, is_transparent: bool) -> None:
    """Raise NotReadable for what is neither grey nor red, green and blue."""
    if channels > 4 or (channels == 2 and not is_transparent):
        raise NotReadable(
            f"has {channels} channels; gankit reads 1, 3 or 4: export three of them as RGB"
        )
    if page.photometric not in GREY_OR_RGB:
        raise NotReadable(f"is a TIFF with {page.photometric.name} colours; save it as RGB")
    if page.dtype is None or page.dtype.kind not in "buif" or page.imagedepth > 1:
        raise NotReadable("is a TIFF that holds no flat picture of numbers; save it as png")


def _refuse_bombs(page: Any, file: BinaryIO) -> None:
    """Refuse packed parts that are larger than the picture: tifffile unpacks each at once."""
    make_decompressor = DECOMPRESSORS.get(int(page.compression))
    if make_decompressor is None:
        return
    bytes_left = 2 * page.nbytes + PADDING_BYTES  # tiles may reach over the border
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        decompressor: Any = make_decompressor()
        bytes_left -= len(decompressor.decompress(file.read(count), bytes_left + 1))
        if bytes_left < 0:
            raise NotReadable("unpacks to more than its pixels, like a decompression bomb")


def _read_values(page: Any, channels: int) -> np.ndarray[Any, Any]:
    """The values (H, W, channels)."""
    try:
        values = page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        packed = f"is a TIFF compressed with {page.compression.name}"
        raise NotReadable(
            f"{packed}, of a kind that gankit cannot unpack; save it as png"
        ) from error
    if values.ndim == 3 and page.planarconfig == SEPARATE:
        values = np.moveaxis(values, 0, 2)
    return np.asarray(values).reshape(page.imagelength, page.imagewidth, channels)
