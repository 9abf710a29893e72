"""What reading a picture may cost: small files that would take very long, or fill the memory.

Measured within these limits: pictures of 196 million pixels take 1 to 4 s and up to 3 GB,
those of 16 bits a channel and floats up to 20 s and 4.5 GB.
"""

import io
import re
from typing import BinaryIO

from PIL import Image, ImageFile

from gankit.data.read.formats import NotReadable

MAX_PIXELS = 200_000_000  # a larger picture is treated as a decompression bomb
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow warns above this, and refuses twice as many
# Formats in which a few bytes can stand for any number of pixels. A white page is 1,000 times
# smaller than its pixels in a PNG, 8,000 times with 1 bit a pixel, and that is the limit of PNG.
UNLIMITED_FORMATS = {"AVIF", "GIF", "HEIF", "JPEG2000", "TIFF", "WEBP"}
MAX_PIXELS_PER_BYTE = 10_000
SMALL = 25_000_000  # pixels that may be in a file of any size
# Pillow's decoders that are written in Python take up to 2 s for a million pixels.
SLOW_DECODERS = {"dds_rgb", "ppm", "ppm_plain", "qoi"}
MAX_SLOW_PIXELS = 16_000_000
MAX_COMMENTS = 1000  # of a PPM as text, each of which takes longer than the one before
# Each scan of a JPEG passes over all pixels. Most have 1, progressive ones about 10.
MAX_SCAN_PIXELS = 10_000_000_000
JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither a pixel's byte nor a restart
JPEG_SCAN = 0xDA
JPEG_END = 0xD9
MAX_ICON_SIDE = 1024  # icons contain PNGs or JPEG 2000s, which may be larger than the icon says
PNG_SIZE = re.compile(rb"\x89PNG\r\n\x1a\n....IHDR(....)(....)", re.DOTALL)
JPEG2000_SIZE = re.compile(rb"\xff\x4f\xff\x51....(....)(....)", re.DOTALL)
TILE_WIDTH = 322  # tags of a TIFF
TILE_HEIGHT = 323
MAX_TILE_PIXELS = 1 << 24  # of a tile that is larger than its picture


def check_cost(image: ImageFile.ImageFile, file: BinaryIO) -> None:
    """Refuse a picture that is open, but not loaded, if loading it would cost too much.

    Raises NotReadable, or DecompressionBombError if it has too many pixels.
    """
    position = file.tell()
    file_bytes = file.seek(0, io.SEEK_END)
    check_size(image.width, image.height)
    if image.format in UNLIMITED_FORMATS:
        _check_proportion(image, file_bytes)
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        check_tiles(tags.get(TILE_WIDTH, 0), tags.get(TILE_HEIGHT, 0), image.width * image.height)
    if image.format in ("JPEG", "MPO"):
        _check_scans(image, file, position)
    file.seek(position)


def check_size(width: int, height: int) -> None:
    """Raise DecompressionBombError for more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError(f"{width}x{height} pixels")


def check_tiles(width: int, height: int, picture_pixels: int) -> None:
    """Refuse a TIFF whose tiles, which are unpacked as a whole, are far larger than it is."""
    if width * height > max(MAX_TILE_PIXELS, 4 * picture_pixels):
        raise NotReadable(f"has tiles of {width}x{height} pixels, like a decompression bomb")


def check_speed(image: ImageFile.ImageFile, file: BinaryIO) -> None:
    """Refuse a large picture of a kind that Pillow reads very slowly."""
    decoder = image.tile[0][0] if image.tile else ""
    if decoder not in SLOW_DECODERS:
        return
    if image.width * image.height > MAX_SLOW_PIXELS:
        millions = MAX_SLOW_PIXELS // 1_000_000
        raise NotReadable(
            f"has {image.width}x{image.height} pixels of a kind that is slow to read, "
            f"of which gankit reads up to {millions} million: save it as png"
        )
    if decoder == "ppm_plain" and _read_all(file).count(b"#") > MAX_COMMENTS:
        raise NotReadable(f"has more than {MAX_COMMENTS:,} comments: save it as png")


def _check_proportion(image: ImageFile.ImageFile, file_bytes: int) -> None:
    pixels = image.width * image.height
    if pixels > max(SMALL, MAX_PIXELS_PER_BYTE * file_bytes):
        raise NotReadable(
            f"has {image.width}x{image.height} pixels in only {file_bytes:,} bytes, "
            "like a decompression bomb: save it as png if it is a picture"
        )


def _check_scans(image: ImageFile.ImageFile, file: BinaryIO, position: int) -> None:
    if _has_one_scan(image, file, position):
        return
    data = _read_all(file)
    max_scans = MAX_SCAN_PIXELS // (image.width * image.height)
    # The bytes of a film or of other pictures at the end may look like scans.
    if data.count(bytes([0xFF, JPEG_SCAN])) > max_scans and _count_scans(data) > max_scans:
        raise NotReadable(
            f"has more than {max_scans:,} scans, which takes long to read: save it again"
        )


def _has_one_scan(image: ImageFile.ImageFile, file: BinaryIO, position: int) -> bool:
    """Whether the scan header that ends at this position is of all channels, and not progressive.

    This is so in most JPEGs, and saves reading the whole file.
    """
    channels = len(image.getbands())
    length = 6 + 2 * channels
    file.seek(max(0, position - length - 2))
    return not image.info.get("progressive") and file.read(4) == bytes([0xFF, JPEG_SCAN, 0, length])


def _count_scans(data: bytes) -> int:
    """The scans of the first picture in a JPEG file."""
    scans = 0
    position = 2
    while match := JPEG_MARKER.search(data, position):
        marker = match[0][1]
        if marker == JPEG_END:
            break
        scans += marker == JPEG_SCAN
        position = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    return scans


def check_icon(name: str, file: BinaryIO) -> None:
    """Refuse an icon that contains a large picture; Pillow loads an icon when it opens it."""
    if name not in ("ICNS", "ICO"):
        return
    data = _read_all(file)
    for pattern in (PNG_SIZE, JPEG2000_SIZE):
        for match in pattern.finditer(data):
            width = int.from_bytes(match[1], "big")
            height = int.from_bytes(match[2], "big")
            if max(width, height) > MAX_ICON_SIDE:
                raise NotReadable(f"is an icon that contains a picture of {width}x{height} pixels")


def _read_all(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
