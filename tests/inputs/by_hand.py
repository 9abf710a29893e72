"""Writes what Pillow does not: deep and odd TIFF, PNG, BMP and PNM files, archives, arrays."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from writers import Picture, Writer, draw, save

# ---------------------------------------------------------------- TIFF

SHORT = 3  # types of TIFF's fields
LONG = 4
FORMATS = {"u": 1, "i": 2, "f": 3}  # of samples


def tiff(dtype: str, channels: int = 1, order: str = "<", scale: float = 1, white: int = 1) -> Any:
    """A writer of TIFF files with these samples, 0 to 255 times `scale`.

    `order` is the order of bytes; `white` is 0 if 0 is white.
    """

    def write(picture: Picture) -> bytes:
        pixels = np.asarray(draw(picture), np.float64)
        samples = np.resize(pixels, (picture.height, picture.width, channels)) * scale
        return _tiff_file(samples.astype(np.dtype(dtype).newbyteorder(order)), order, white)

    return write


def _tiff_file(samples: np.ndarray, order: str, white: int) -> bytes:
    """A TIFF of one strip: samples (H, W, C)."""
    height, width, channels = samples.shape
    data = samples.tobytes()
    fields = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8 * samples.dtype.itemsize] * channels),
        259: (SHORT, [1]),  # not compressed
        262: (SHORT, [2 if channels >= 3 else white]),  # RGB, or grey
        273: (LONG, [0]),  # where the strip starts: set below
        277: (SHORT, [channels]),
        278: (LONG, [height]),
        279: (LONG, [len(data)]),
        339: (SHORT, [FORMATS[samples.dtype.kind]] * channels),
    }
    if channels > 3:
        fields[338] = (SHORT, [0] * (channels - 3))  # channels that no standard describes
    strip = 8 + 2 + 12 * len(fields) + 4
    fields[273] = (LONG, [strip])
    entries = b""
    lists = b""  # values that do not fit into their entry, behind the strip
    for tag, (kind, values) in sorted(fields.items()):
        packed = struct.pack(order + ("I" if kind == LONG else "H") * len(values), *values)
        if len(packed) > 4:
            place = struct.pack(order + "I", strip + len(data) + len(lists))
            lists += packed
            packed = place
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    start = b"II*\0" if order == "<" else b"MM\0*"
    header = start + struct.pack(order + "IH", 8, len(fields))
    return header + entries + bytes(4) + data + lists


# ---------------------------------------------------------------- PNG, BMP and PNM


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png_file(width: int, height: int, depth: int, rows: bytes) -> bytes:
    """An RGB picture of `depth` bits; each row starts with its filter, 0."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    body = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + _png_chunk(b"IEND", b"")


def deep_png(scale: int) -> Writer:
    """A writer of PNG files with 16 bits a channel: 0 to 255 times `scale`."""

    def write(picture: Picture) -> bytes:
        pixels = np.asarray(draw(picture)).astype(np.uint16) * scale
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        return _png_file(picture.width, picture.height, 16, rows)

    return write


def empty_png(width: int, height: int) -> Writer:
    """A writer of PNG files that claim this size and hold next to nothing."""
    return lambda picture: _png_file(width, height, 8, bytes(100))


def upside_down_bmp(picture: Picture) -> bytes:
    """A BMP whose negative height says that its first row is on top."""
    data = bytearray(save(draw(picture), "BMP"))
    data[22:26] = struct.pack("<i", -picture.height)
    return bytes(data)


def plain_pnm(mark: str, channels: int, white: int) -> Writer:
    """A writer of the formats that hold their numbers as text: P1, P2 and P3."""

    def write(picture: Picture) -> bytes:
        pixels = np.asarray(draw(picture), int)[:, :, :channels] * white // 255
        numbers = "\n".join(map(str, pixels.ravel().tolist()))
        limit = "" if mark == "P1" else f"{white}\n"
        return f"{mark}\n# text\n{picture.width} {picture.height}\n{limit}{numbers}\n".encode()

    return write


def deep_pgm(picture: Picture) -> bytes:
    """Grey of 12 bits."""
    grey = np.asarray(draw(picture).convert("L")).astype(np.uint16) * 16
    header = f"P5 {picture.width} {picture.height} 4095\n"
    return header.encode() + grey.astype(">u2").tobytes()


# ---------------------------------------------------------------- archives and arrays


def zip_of_a_picture(picture: Picture) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inside.png", save(draw(picture), "PNG"))
    return file.getvalue()


def tar_of_a_picture(compress: Callable[[bytes], bytes]) -> Writer:
    """A writer of compressed tars with one picture."""

    def write(picture: Picture) -> bytes:
        data = save(draw(picture), "PNG")
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            info = tarfile.TarInfo("inside.png")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        return compress(file.getvalue())

    return write


def array_file(save_arrays: Callable[..., None]) -> Writer:
    """A writer of numpy's files, which `save_arrays(file, pixels)` writes."""

    def write(picture: Picture) -> bytes:
        file = io.BytesIO()
        save_arrays(file, np.asarray(draw(picture)))
        return file.getvalue()

    return write
