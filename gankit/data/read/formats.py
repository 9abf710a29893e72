"""The picture formats that gankit reads, each recognised by its first bytes."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PIL import (  # each plugin registers itself with Pillow; some others would start programs
    BmpImagePlugin,  # noqa: F401
    DdsImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    IcnsImagePlugin,  # noqa: F401
    IcoImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    Jpeg2KImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PcxImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    PsdImagePlugin,  # noqa: F401
    QoiImagePlugin,  # noqa: F401
    SgiImagePlugin,  # noqa: F401
    SunImagePlugin,  # noqa: F401
    TgaImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
    features,
)

from gankit.data.messages import format_is_missing, kind_not_read

with contextlib.suppress(ImportError):  # Pillow 11.2 and later
    from PIL import AvifImagePlugin  # noqa: F401
with contextlib.suppress(ImportError):  # pip install "gankit[heic]"
    from pillow_heif import register_heif_opener

    register_heif_opener()

FIRST_BYTES = 128  # of a file, enough to recognise its format
# The last two break the TIFF standard; some programs write them.
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")
STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"8BPS\0\x01": "PSD",  # version 2, PSB, is not read
    b"DDS \x7c\0\0\0": "DDS",
    b"qoif": "QOI",
    b"icns": "ICNS",
    b"\x59\xa6\x6a\x95": "SUN",
    **dict.fromkeys(TIFF_STARTS, "TIFF"),
}
BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # sizes; any text may begin with "BM"
NETPBM = re.compile(rb"P(?:[1-6]|[fF])\s+(?:#|\d)")  # a number or a comment follows
TGA_TYPES = {1: (1, 9), 0: (2, 3, 10, 11)}  # with and without a colour table
# Formats that Pillow reads only if it was built with a library, by its name for them.
OPTIONAL = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}


HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
COMPLETE = {"GIF", "PNG", "WEBP"}  # formats of which Pillow reads every kind
JPEG_END = b"\xff\xd9"


class NotReadable(ValueError):
    """Why a picture cannot be read, in words that need no further description."""


def _is_avif(start: bytes) -> bool:
    """An ISO media file with an AVIF brand, main or compatible; HEIC has others."""
    brands = start[8 : int.from_bytes(start[:4], "big")]
    return start[4:8] == b"ftyp" and (b"avif" in brands or b"avis" in brands)


def _is_heic(start: bytes) -> bool:
    """A HEIC, if this Pillow can read it; else it is left out, with what to do."""
    return start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS and "HEIF" in Image.OPEN


def _is_bmp(start: bytes) -> bool:
    return start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in BMP_HEADERS


def _is_ico(start: bytes) -> bool:
    """An icon: 1 to 255 entries, the first with at most 255 planes, as in any icon."""
    return start[:4] == b"\0\0\1\0" and start[4:5] > b"\0" == start[5:6] == start[11:12]


def _is_pcx(start: bytes) -> bool:
    """A PCX: its version, encoding, bits, a reserved byte and planes, which all have few values."""
    return (
        start[:1] == b"\x0a"
        and start[1:2] in (b"\0", b"\2", b"\3", b"\5")
        and start[2:3] in (b"\0", b"\1")
        and start[3:4] in (b"\1", b"\2", b"\4", b"\x08")
        and start[65:66] in (b"\1", b"\2", b"\3", b"\4")
    )


def _is_tga(start: bytes) -> bool:
    """A TGA, which has no signature: all fields of its header must make sense."""
    if len(start) < 18 or start[2] not in TGA_TYPES.get(start[1], ()):
        return False
    has_colour_table = start[1] == 1
    table_makes_sense = start[7] in (15, 16, 24, 32) if has_colour_table else not any(start[3:8])
    has_pixels = any(start[12:14]) and any(start[14:16])
    depths = {2: (16, 24, 32), 3: (8, 16), 1: (8,)}[start[2] & 7]
    return table_makes_sense and has_pixels and start[16] in depths and start[17] < 64


RECOGNISED: dict[str, Callable[[bytes], bool]] = {
    "WEBP": lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
    "BMP": _is_bmp,
    "AVIF": _is_avif,
    "HEIF": _is_heic,
    "PPM": lambda start: bool(NETPBM.match(start)),
    "SGI": lambda start: start[:2] == b"\x01\xda" and start[2:3] in (b"\0", b"\1"),
    "ICO": _is_ico,
    "PCX": _is_pcx,
    "TGA": _is_tga,
}


def picture_format(first_bytes: bytes) -> str:
    """Pillow's name of the format, such as "JPEG", by a file's FIRST_BYTES; "" if not a picture."""
    for start, name in STARTS.items():
        if first_bytes.startswith(start):
            return name
    return next((name for name, is_that in RECOGNISED.items() if is_that(first_bytes)), "")


def is_animation(start: bytes) -> bool:
    """Whether a picture with these first bytes (some thousand) may have several frames."""
    is_webp = start[8:16] == b"WEBPVP8X" and start[20:21] > b"\0" and bool(start[20] & 2)
    is_png = start.startswith(b"\x89PNG") and b"acTL" in start
    is_avif = start[4:8] == b"ftyp" and b"avis" in start[8 : int.from_bytes(start[:4], "big")]
    return start.startswith(b"GIF8") or is_webp or is_png or is_avif


def starts_like_picture(first_bytes: bytes) -> bool:
    """Whether a file with these first bytes (FIRST_BYTES of them) is in a format that is read."""
    return bool(picture_format(first_bytes))


def looks_like_picture(path: str | Path) -> bool:
    """Whether a file starts like one of the formats that are read, whatever its name."""
    with open(path, "rb") as file:  # noqa: PTH123 - takes both kinds of path
        return starts_like_picture(file.read(FIRST_BYTES))


def recognise(file: BinaryIO) -> str:
    """The format of an open file; NotReadable if it is none, or one that this Pillow lacks."""
    file.seek(0)
    name = picture_format(file.read(FIRST_BYTES))
    if not name:
        raise NotReadable("is not a picture")
    feature = OPTIONAL.get(name)
    if feature and not (name in Image.OPEN and features.check(feature)):
        raise NotReadable(format_is_missing(name))
    return name


def open_as(name: str, file: BinaryIO) -> ImageFile.ImageFile:
    """The picture in an open file of this format, with its header read but not its pixels."""
    try:
        return Image.open(file, formats=(name,))
    except Exception as error:  # what a plugin does not know, it says with nearly any error
        is_about_memory = isinstance(error, Image.DecompressionBombError | MemoryError)
        is_about_disk = getattr(error, "errno", None) is not None
        if is_about_memory or is_about_disk or name in COMPLETE or _is_cut_off_jpeg(name, file):
            raise
        raise NotReadable(kind_not_read(name)) from error


def _is_cut_off_jpeg(name: str, file: BinaryIO) -> bool:
    """Whether it is a JPEG without its end; with it, it may have 12 bits or no losses."""
    file.seek(-len(JPEG_END), io.SEEK_END)
    return name == "JPEG" and file.read() != JPEG_END
