"""Arrays of pictures in .npy files, read in place: one picture at a time, never a whole array."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from gankit.data.read.decode import describe_error, to_rgb_or_grey
from gankit.data.read.deep import DeepPicture, Range, SharedRanges, join_ranges, measure, to_8_bits
from gankit.data.read.formats import NotReadable
from gankit.data.read.in_flight import DECODING, DEEP_WEIGHT
from gankit.data.read.limits import check_size

MAX_CHANNELS = 4  # an axis that is longer is a height or a width
CHANNELS = (1, 3, 4)  # grey, colour, and colour with alpha
MIN_FLAT_SIDE = 8  # pixels of pictures that are rows of numbers, as in scikit-learn's digits
FLAT_LENGTHS = (784, 3072)  # of MNIST, Quick, Draw! and CIFAR, whatever the number of rows
MAX_ASPECT = 4  # a grey picture that is longer may be rows of numbers
BLOCK_VALUES = 1 << 22  # measured at a time
TAKES = (
    "gankit takes pictures as (N, H, W), (N, H, W, C), (N, C, H, W) or rows of pixels, and a "
    "single one as (H, W) or (H, W, C), with 1, 3 or 4 channels"
)


class Layout(NamedTuple):
    """How an array holds its pictures."""

    pictures: int  # their number
    height: int
    width: int
    channels: int
    is_single: bool = False  # the whole array is one picture
    is_channels_first: bool = False
    is_flat: bool = False  # each picture is a row of numbers


class ArrayFile:
    """One .npy file: its shape and type, and its pictures if it holds any.

    `layout` is None if the shape is not that of pictures.
    """

    def __init__(self, path: Path, size: int, modified: int) -> None:
        self.path = path
        self._key = (str(path), size, modified)
        values = _open_array(*self._key)
        self.shape: tuple[int, ...] = values.shape
        self.dtype: np.dtype[Any] = values.dtype
        self.layout = find_layout(self.shape) if self.dtype.kind in "buif" else None

    @property
    def is_deep(self) -> bool:
        """Whether black and white have to be found: the values are not bytes or booleans."""
        return self.dtype not in (np.uint8, np.bool_)

    @property
    def picture_bytes(self) -> int:
        """The bytes that each picture takes in the file."""
        values = math.prod(self.shape) * self.dtype.itemsize
        return values // self.layout.pictures if self.layout else values

    def values(self) -> Any:
        """The whole array, mapped and not read."""
        return _open_array(*self._key)

    @contextlib.contextmanager
    def opened(
        self, index: int, background: str | None, ranges: SharedRanges
    ) -> Iterator[Image.Image]:
        """One picture in RGB, RGBA or grey; until the block ends, its pixels count as in flight.

        Raises ValueError with a short reason.
        """
        layout = self.layout
        assert layout is not None
        with contextlib.ExitStack() as held:
            try:
                check_size(layout.width, layout.height)
                weight = DEEP_WEIGHT if self.is_deep else 1
                held.enter_context(DECODING.take(weight * layout.width * layout.height))
                picture = to_rgb_or_grey(self._read(index, layout, ranges), background)
            except Exception as error:
                raise ValueError(describe_error(error)) from error
            yield picture

    def measure(self) -> Range | None:
        """The range of all values; None for bytes, which need none.

        Alpha has a range of its own.
        """
        if not self.is_deep or self.layout is None:
            return None
        values = self.values()
        shape: tuple[int, ...] = (-1, self.shape[-1])
        if self.layout.channels == MAX_CHANNELS:
            values = np.moveaxis(values, -3, -1) if self.layout.is_channels_first else values
            shape = (-1, 1, MAX_CHANNELS)
        rows_at_a_time = max(1, BLOCK_VALUES // max(1, math.prod(values.shape[1:])))
        starts = range(0, len(values), rows_at_a_time)
        blocks = (values[start : start + rows_at_a_time] for start in starts)
        ranges = [measure(_deep(block.reshape(shape))) for block in blocks]
        joined = next(iter(join_ranges(ranges).values()))
        return joined._replace(pictures=self.layout.pictures)

    def _read(self, index: int, layout: Layout, ranges: SharedRanges) -> Image.Image:
        """The picture in any mode of Pillow."""
        values = self.values() if layout.is_single else self.values()[index]
        if layout.is_flat:
            side = (layout.height, layout.width)
            values = values.reshape((layout.channels, *side) if layout.channels > 1 else side)
        if layout.is_channels_first:
            values = np.moveaxis(values, 0, -1)
        if values.shape[2:] == (1,):
            values = values[..., 0]
        if self.dtype == np.bool_:
            return Image.fromarray(values.astype(np.uint8) * 255)
        if not self.is_deep:
            return Image.fromarray(np.ascontiguousarray(values))
        picture = _deep(values)
        return to_8_bits(picture, ranges.find(picture))


def _deep(values: Any) -> DeepPicture:
    """Values (H, W) or (H, W, 3 or 4) of an array, in the byte order of this computer."""
    kind = values.dtype.kind
    size = max(4, min(8, values.dtype.itemsize)) if kind == "f" else values.dtype.itemsize
    native = np.ascontiguousarray(values, dtype=f"={kind}{size}")
    if native.ndim == 3 and native.shape[2] == MAX_CHANNELS:
        return DeepPicture(native[..., :3], native[..., 3], is_in_array=True)
    return DeepPicture(native, is_in_array=True)


@functools.lru_cache(maxsize=32)  # each mapping keeps its file open
def _open_array(path: str, size: int, modified: int) -> Any:
    """The array in a file of this size and time, mapped; NotReadable with a reason."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        if error.strerror is None:
            raise NotReadable("is a broken npy file: save it again with numpy.save") from error
        raise
    except Exception as error:  # of a header that somebody made, numpy raises nearly anything
        raise NotReadable(_describe_bad_array(error)) from error


def _describe_bad_array(error: Exception) -> str:
    text = str(error)
    if "Python objects" in text or "Object arrays" in text:
        why = "holds Python objects, which may run programs when they are read"
        how = 'save pictures as array.astype("uint8"), and labels as array.astype(str)'
        return f"{why}: {how}"
    if "mmap length" in text or "empty file" in text:
        return "is cut off, or empty: save it again with numpy.save"
    return "is a broken npy file: save it again with numpy.save"


def find_layout(shape: tuple[int, ...]) -> Layout | None:
    """How an array of this shape holds pictures; None if it holds none.

    (N, H, W), (N, H, W, C), (N, C, H, W), (H, W, C), (C, H, W) and (H, W), where C is 1, 3 or 4 and
    H and W are larger than 4. (N, D) are N pictures if D are the pixels of a square picture.
    """
    if not all(shape):
        return None
    if len(shape) == 2:
        return _layout_of_2(*shape)
    if len(shape) == 3:
        return _layout_of_3(*shape)
    if len(shape) == 4:
        return _layout_of_4(*shape)
    return None


def _layout_of_2(rows: int, columns: int) -> Layout | None:
    channels = 3 if columns == 3072 else 1
    side = math.isqrt(columns // channels)
    is_square = side >= MIN_FLAT_SIDE and channels * side * side == columns
    if is_square and (columns in FLAT_LENGTHS or rows > MAX_ASPECT * columns):
        return Layout(rows, side, side, channels, is_channels_first=channels > 1, is_flat=True)
    if is_square and columns > MAX_ASPECT * rows:
        return Layout(rows, side, side, channels, is_flat=True)
    if min(rows, columns) <= MAX_CHANNELS:
        return None
    return Layout(1, rows, columns, 1, is_single=True)


def _layout_of_3(first: int, second: int, third: int) -> Layout | None:
    if third in CHANNELS and min(first, second) > MAX_CHANNELS:
        return Layout(1, first, second, third, is_single=True)
    if min(second, third) <= MAX_CHANNELS:
        return None
    if first in CHANNELS:
        return Layout(1, second, third, first, is_single=True, is_channels_first=True)
    return Layout(first, second, third, 1)


def _layout_of_4(count: int, second: int, third: int, fourth: int) -> Layout | None:
    if fourth in CHANNELS and min(second, third) > MAX_CHANNELS:
        return Layout(count, second, third, fourth)
    if second in CHANNELS and min(third, fourth) > MAX_CHANNELS:
        return Layout(count, third, fourth, second, is_channels_first=True)
    return None


def describe_layout(layout: Layout, dtype: np.dtype[Any]) -> str:
    """`pictures of 28x28 in grey (uint8, rows of 784 numbers)`."""
    colours = {1: "grey", 3: "colour", 4: "colour with alpha"}[layout.channels]
    order = ""
    if layout.is_flat:
        order = f", rows of {layout.channels * layout.height * layout.width:,} numbers"
    elif layout.is_channels_first:
        order = ", channels first"
    return f"{layout.width}x{layout.height} px in {colours} ({dtype.name}{order})"
