"""Deep pictures, with more than 8 bits a channel: their exact values, and one white for a set.

Files do not say which value is white: a 12-bit microscope writes 0-4095 into 16 bits. If each
picture had a white of its own, dark pictures would become as bright as the others. So all deep
pictures of a set share a range, found from the smallest and the largest value among them.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from gankit.data.messages import count_noun

log = logging.getLogger("gankit")
Values = np.ndarray[Any, Any]
WHITE_LEVELS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # of 8 to 16 bits; floats also have 1
NUM_16_BIT = 1 << 16
BAND_PIXELS = 1 << 22
FLOAT_TOLERANCE = 1.1  # sharpening leaves floats a little above white
TWO_BYTES = re.compile("(LA|RGB|RGB[AaX]);16([BLN])")  # Pillow reads one byte of each value
BYTE_ORDERS = {"B": ">u2", "L": "<u2", "N": "=u2"}
TIFF_BITS = 258
TIFF_PHOTOMETRIC = 262  # 0: the smallest value is white
TIFF_SAMPLE_FORMAT = 339  # 1: unsigned integers


class DeepPicture(NamedTuple):
    """The values of a picture, as its file has them."""

    values: Values  # (H, W) or (H, W, 3), integers or floats
    alpha: Values | None = None  # (H, W), how opaque each pixel is
    white: float = 0  # what the file says is white; 0: nothing
    is_inverted: bool = False  # 0 is white
    is_in_array: bool = False  # and not in a picture file

    @property
    def kind(self) -> str:
        """What it is made of: the pictures of one kind share a range."""
        numbers = "floats" if self.values.dtype.kind == "f" else "integers"
        return f"{numbers} in arrays" if self.is_in_array else numbers


class Range(NamedTuple):
    """The smallest and the largest value of pictures of one kind."""

    kind: str
    pictures: int
    low: float
    high: float
    holes: int = 0  # values that are NaN or infinite
    alpha: Range | None = None  # of the alpha in arrays, which has a white of its own

    @property
    def black_and_white(self) -> tuple[float, float]:
        """The values that become 0 and 255.

        White is the first of WHITE_LEVELS (for floats also 1) that is not below the largest value.
        If none is, or if values are negative, black and white are the smallest and largest value.
        In arrays, integers may have a white of 1 too, and floats from -1 to 1 keep these as black
        and white.
        """
        is_float = self.kind.startswith("floats")
        is_in_array = self.kind.endswith("arrays")
        levels = (1.0, *WHITE_LEVELS) if is_float or is_in_array else WHITE_LEVELS
        tolerance = FLOAT_TOLERANCE if is_float else 1.0
        white = next((level for level in levels if self.high <= tolerance * level), None)
        if is_float and is_in_array and white == 1 and -tolerance <= self.low < 0:
            return -1.0, 1.0
        if self.low < 0 or white is None:
            return self.low, self.high
        return 0.0, white

    @property
    def clear_and_opaque(self) -> tuple[float, float]:
        """The values of alpha that become 0 and 255: the smallest is clear only if negative."""
        black, white = self.black_and_white
        return min(black, 0.0), white

    def describe(self) -> str:
        """The line for `data check` and run.json."""
        digits = ".3g" if self.kind.startswith("floats") else ".0f"
        values = [self.low, self.high, *self.black_and_white]
        low, high, black, white = (format(value, digits) for value in values)
        has = "1 picture has" if self.pictures == 1 else f"{self.pictures:,} pictures have"
        text = (
            f"{has} more than 8 bits a channel ({self.kind} from {low} to {high}): "
            f"{black} becomes black and {white} white, the same for all"
        )
        if self.alpha:
            clear, opaque = (format(value, digits) for value in self.alpha.clear_and_opaque)
            text += f"; alpha of {clear} is clear and {opaque} opaque"
        if self.holes:
            text += f"; {count_noun(self.holes, 'value')} NaN or infinite, taken for 0"
        return text


class SharedRanges:
    """The ranges of all deep pictures of a set, found when the first of them is decoded.

    `measure_all` returns the range of each deep picture. One thread calls it, once.
    """

    def __init__(self, measure_all: Callable[[], Iterable[Range]]) -> None:
        self._measure_all = measure_all
        self._lock = threading.Lock()
        self._ranges: dict[str, Range] | None = None

    def find(self, picture: DeepPicture) -> Range:
        """The range that the picture's values have in this set."""
        with self._lock:
            if self._ranges is None:
                log.info("pictures have more than 8 bits: finding one white for all of them")
                self._ranges = join_ranges(self._measure_all())
        return self._ranges.get(picture.kind) or measure(picture)

    @property
    def notes(self) -> list[str]:
        """A line about each range that was used."""
        return [item.describe() for item in (self._ranges or {}).values()]


def join_ranges(ranges: Iterable[Range]) -> dict[str, Range]:
    """One range for each kind."""
    joined: dict[str, Range] = {}
    for item in ranges:
        total = joined.get(item.kind)
        if total is None:
            joined[item.kind] = item
            continue
        low = min(total.low, item.low)
        high = max(total.high, item.high)
        pictures = total.pictures + item.pictures
        holes = total.holes + item.holes
        alphas = join_ranges(filter(None, (total.alpha, item.alpha)))
        alpha = alphas.get(item.kind)
        joined[item.kind] = Range(item.kind, pictures, low, high, holes, alpha)
    return joined


def measure(picture: DeepPicture) -> Range:
    """The range of one picture."""
    if picture.white:
        return Range(picture.kind, 1, 0, picture.white)
    lows = []
    highs = []
    holes = 0
    for rows in _bands(picture.values):
        values = _finite(picture.values[rows])
        if values.dtype.kind == "f":
            holes += values.size - int(np.isfinite(picture.values[rows]).sum())
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    alpha = None
    if picture.alpha is not None and picture.is_in_array:
        alpha = measure(DeepPicture(picture.alpha, is_in_array=True))
        holes += alpha.holes
    return Range(picture.kind, 1, min(lows), max(highs), holes, alpha)


def _bands(values: Values) -> list[slice]:
    """A picture's rows in groups, so that little of it is in memory in a larger type."""
    num_rows = max(1, BAND_PIXELS // values.shape[1])
    return [slice(start, start + num_rows) for start in range(0, len(values), num_rows)]


def _finite(values: Values) -> Values:
    return np.nan_to_num(values, posinf=0, neginf=0) if values.dtype.kind == "f" else values


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether an image that is open, but not loaded, has more than 8 bits a channel."""
    is_deep_grey = image.mode == "F" or image.mode.startswith("I")
    return is_deep_grey or _two_bytes(image) is not None or _deep_netpbm(image) is not None


def _raw_mode(image: ImageFile.ImageFile) -> tuple[Any, ...]:
    """What Pillow's decoder is told about the file's values, such as ("RGB;16B",)."""
    arguments: Any = image.tile[0][3] if image.tile else ()
    return (arguments,) if isinstance(arguments, str) else tuple(arguments or ())


def _two_bytes(image: ImageFile.ImageFile) -> re.Match[str] | None:
    """The match if the file has two bytes a value, of which Pillow would drop one."""
    raw_mode = _raw_mode(image)
    if image.format not in ("PNG", "TIFF") or not raw_mode:
        return None
    return TWO_BYTES.fullmatch(str(raw_mode[0]))


def _deep_netpbm(image: ImageFile.ImageFile, decoder: str = "ppm") -> float | None:
    """What a PPM or PGM of more than 8 bits states as white; None for any other picture.

    The `decoder` of one that is text is `ppm_plain`.
    """
    is_netpbm = image.format == "PPM" and image.tile and image.tile[0][0] == decoder
    white = _raw_mode(image)[1] if is_netpbm else 0
    return white if white > 255 else None


def _stated_white(image: ImageFile.ImageFile, bits: int) -> float:
    """What a grey picture that has not been loaded states as white; 0: nothing."""
    stated = _deep_netpbm(image, "ppm_plain")
    if stated:  # Pillow will scale the values, so that 65535 is white
        return WHITE_LEVELS[-1] if stated < WHITE_LEVELS[-1] else 0
    return 2**bits - 1 if 8 < bits < 16 else 0


def read_deep(image: ImageFile.ImageFile, reopen: Callable[[], ImageFile.ImageFile]) -> DeepPicture:
    """The values of a deep image that is open, but not loaded; `reopen` opens its file again."""
    white = _deep_netpbm(image)
    if white is not None:
        return DeepPicture(_read_netpbm(image), white=white if white < WHITE_LEVELS[-1] else 0)
    match = _two_bytes(image)
    if match is None:
        return _read_grey(image)
    mode, order = match.groups()
    if mode == "LA":  # of four bytes, like red, green, blue and alpha
        values = _load_as(image, "RGBA").view(BYTE_ORDERS[order])
        return DeepPicture(values[..., 0], values[..., 1])
    # Pillow keeps one byte of each value: the first, if told that this is the high one.
    channels = mode.replace("a", "A")
    first = _load_as(image, f"{channels};16B")
    pairs = np.empty((*first.shape, 2), np.uint8)
    pairs[..., 0] = first
    del first  # the memory of a large picture
    pairs[..., 1] = _load_as(reopen(), f"{channels};16L")
    values = pairs.view(BYTE_ORDERS[order])[..., 0]
    colours = values[..., :3]
    if mode == "RGBa":
        colours = divide_by_alpha(colours, values[..., 3])
    alpha = values[..., 3] if channels == "RGBA" else _alpha_of_key(colours, image)
    return DeepPicture(colours, alpha)


def divide_by_alpha(values: Values, alpha: Values) -> Values:
    """Premultiplied values (H, W) or (H, W, 3) as they are without alpha (H, W); clear is black.

    Opaque is the first of WHITE_LEVELS (for floats also 1) that is not below the largest alpha.
    """
    is_float = values.dtype.kind == "f"
    largest = float(_finite(alpha).max())
    levels = (1.0, *WHITE_LEVELS) if is_float else WHITE_LEVELS
    opaque = next((level for level in levels if largest <= level), largest)
    divided = np.empty_like(values)
    for rows in _bands(values):
        share = _finite(alpha[rows]).astype(np.float64) / opaque
        share = share if values.ndim == 2 else share[..., None]
        straight = np.divide(values[rows], share, out=np.zeros(values[rows].shape), where=share > 0)
        divided[rows] = straight if is_float else np.rint(np.minimum(straight, opaque))
    return divided


def _read_netpbm(image: ImageFile.ImageFile) -> Values:
    """The two-byte values of a PPM or PGM: Pillow would scale them, one after another."""
    channels = 3 if image.mode == "RGB" else 1
    count = image.width * image.height * channels
    assert image.fp is not None
    image.fp.seek(image.tile[0][2])
    data = image.fp.read(2 * count)
    if len(data) < 2 * count:
        raise EOFError
    values = np.frombuffer(data, ">u2").reshape(image.height, image.width, channels)
    return values if channels == 3 else values[..., 0]


def _read_grey(image: ImageFile.ImageFile) -> DeepPicture:
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(TIFF_BITS, (0,))[0]
    white = _stated_white(image, bits)
    image.load()
    values = np.asarray(image)
    if bits == 32 and image.mode == "I" and tags.get(TIFF_SAMPLE_FORMAT, (1,))[0] == 1:
        values = values.view(np.uint32)  # Pillow has only signed integers of 32 bits
    return DeepPicture(
        values,
        _alpha_of_key(values, image),
        white=white,
        is_inverted=tags.get(TIFF_PHOTOMETRIC) == 0,
    )


def _alpha_of_key(values: Values, image: ImageFile.ImageFile) -> Values | None:
    """The alpha channel if the file names one transparent value or colour."""
    key = image.info.get("transparency")
    if key is None:
        return None
    is_transparent = values == np.asarray(key)
    if values.ndim == 3:
        is_transparent = is_transparent.all(axis=2)
    return np.where(is_transparent, 0, 65535)


def _load_as(image: ImageFile.ImageFile, raw_mode: str) -> Values:
    """The bytes (H, W, channels) that Pillow reads if told that the file has this raw mode."""
    rest = _raw_mode(image)[1:]
    arguments: Any = (raw_mode, *rest) if rest else raw_mode
    for number, tile in enumerate(image.tile):
        # Up to Pillow 10.3 it is a plain tuple.
        make: Any = getattr(tile, "_make", tuple)
        image.tile[number] = make((*tile[:3], arguments))
    image.load()
    return np.asarray(image)


def to_8_bits(picture: DeepPicture, shared: Range) -> Image.Image:
    """The picture in mode L, RGB, LA or RGBA, with black and white as in a range."""
    black, white = shared.black_and_white
    if picture.white:
        black, white = 0.0, picture.white
    clear = opaque = 0.0
    if shared.alpha:
        clear, opaque = shared.alpha.clear_and_opaque
    elif picture.alpha is not None:
        opaque = _opaque(picture.alpha, white)
    bands = []
    for rows in _bands(picture.values):
        pixels = _scale_fast(picture.values[rows], black, white, picture.is_inverted)
        if picture.alpha is not None:
            pixels = np.dstack([pixels, _scale(picture.alpha[rows], clear, opaque)])
        bands.append(pixels)
    return Image.fromarray(np.concatenate(bands))


def _scale_fast(values: Values, black: float, white: float, is_inverted: bool) -> Values:
    """The same as `_scale`, by a table where that is faster."""
    is_16_bit = values.dtype.kind == "u" and values.itemsize == 2
    if not is_16_bit or values.size <= NUM_16_BIT:
        return _scale(values, black, white, is_inverted)
    every_value = np.arange(NUM_16_BIT, dtype=np.uint16)
    table: Values = _scale(every_value, black, white, is_inverted)[values]
    return table


def _scale(values: Values, black: float, white: float, is_inverted: bool = False) -> Values:
    values = _finite(values)
    values = values.astype(np.float32 if values.itemsize <= 2 else np.float64)
    scaled = (values - black) * (255 / max(white - black, 1e-300))
    return _round(255 - scaled if is_inverted else scaled)


def _round(values: Values) -> Values:
    return (values + 0.5).clip(0, 255).astype(np.uint8)


def _opaque(alpha: Values, white: float) -> float:
    """The value of alpha that is opaque: the white of the colours, if no value is above it."""
    largest = float(alpha.max())
    if 0 < largest <= white:
        return white
    return max(largest, 1.0 if alpha.dtype.kind == "f" else 65535.0)
