"""Every kind of file that people have among their pictures, and what gankit has to do with it.

The right outcome is written here by hand, and shares no code with gankit.
"""

import bz2
import gzip
import lzma
from typing import NamedTuple

import numpy as np
from by_hand import (
    array_file,
    deep_pgm,
    deep_png,
    empty_png,
    plain_pnm,
    tar_of_a_picture,
    tiff,
    upside_down_bmp,
    zip_of_a_picture,
)
from writers import (
    Writer,
    animation,
    constant,
    cut_off,
    damaged,
    followed_by,
    palette_png,
    pillow,
    random_bytes,
    turned_jpeg,
)

TAKEN = "taken"  # a picture to train on
NAMED = "named"  # not taken, but named: among the broken files, or among those left out
EITHER = "taken or named"  # damaged files that may still be read; formats that a Pillow may lack
QUIET = "quiet"  # not taken; text and the like, which need not be named


class Kind(NamedTuple):
    """One kind of file."""

    write: Writer
    endings: tuple[str, ...]
    outcome: str


JPG = (".jpg", ".jpeg", ".JPG", ".jpe", ".jfif", ".jpg?w=500", ".jpg.1", ".heic", "")
PNG = (".png", ".PNG", ".png!d", ".jpg", "")
TIF = (".tif", ".tiff", ".TIF", "")
BMP = (".bmp", ".dib", "")
ANY = (".jpg", ".png", ".tif", ".JPG", ".gif", ".bmp", ".webp")

PHOTO = pillow("JPEG", quality=90)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(300)
HEIC = b"\0\0\0\x18ftypheic" + bytes(300)
DICOM = bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + bytes(200)
TEXT = "# Pictures\nTaken in May, by me. 50 % are sharp: é, 花.\n".encode()
WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'


def _each(outcome: str, kinds: dict[str, tuple[Writer, tuple[str, ...]]]) -> dict[str, Kind]:
    return {name: Kind(write, endings, outcome) for name, (write, endings) in kinds.items()}


USUAL = {
    "jpeg": (PHOTO, JPG),
    "grey jpeg": (pillow("JPEG", "L"), JPG),
    "CMYK jpeg": (pillow("JPEG", "CMYK"), JPG),
    "progressive jpeg": (pillow("JPEG", progressive=True), JPG),
    "poor jpeg": (pillow("JPEG", quality=1), JPG),
    "jpeg of two pictures": (animation("MPO"), (".mpo", ".jpg")),
    "jpeg before a film": (followed_by(PHOTO, MP4), (".jpg", ".MP.jpg")),
    "jpeg with bad EXIF": (pillow("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff?"), JPG),
    **{f"jpeg, EXIF orientation {n}": (turned_jpeg(n), JPG) for n in (2, 3, 5, 6, 8, 9)},
    **{f"{m} png": (pillow("PNG", m), PNG) for m in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    "png of a palette": (palette_png, PNG),
    "16-bit RGB png": (deep_png(257), PNG),
    "12-bit RGB png": (deep_png(16), PNG),
    "animated png": (animation("PNG"), (".png", ".apng")),
    "gif": (pillow("GIF", "P"), (".gif", ".GIF", "")),
    "grey gif": (pillow("GIF", "L"), (".gif",)),
    "transparent gif": (pillow("GIF", "P", transparency=0), (".gif",)),
    "animated gif": (animation("GIF"), (".gif",)),
    **{f"{m} bmp": (pillow("BMP", m), BMP) for m in ("1", "L", "P", "RGB", "RGBA")},
    "upside-down bmp": (upside_down_bmp, BMP),
    "webp": (pillow("WEBP"), (".webp", ".jpg", "")),
    "transparent webp": (pillow("WEBP", "RGBA", lossless=True), (".webp",)),
    "animated webp": (animation("WEBP"), (".webp",)),
    "ppm": (pillow("PPM"), (".ppm", ".pnm")),
    "pgm": (pillow("PPM", "L"), (".pgm", ".pnm")),
    "pbm": (pillow("PPM", "1"), (".pbm",)),
    "text pbm": (plain_pnm("P1", 1, 1), (".pbm",)),
    "text pgm": (plain_pnm("P2", 1, 255), (".pgm",)),
    "text ppm": (plain_pnm("P3", 3, 255), (".ppm",)),
    "12-bit pgm": (deep_pgm, (".pgm",)),
}
TIFFS = {
    **{
        f"{mode} tiff": (pillow("TIFF", mode), TIF)
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F")
    },
    **{
        f"tiff, {method}": (pillow("TIFF", compression=method), TIF)
        for method in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd")
    },
    "tiff of a fax": (pillow("TIFF", "1", compression="group4"), TIF),
    "BigTIFF": (pillow("TIFF", big_tiff=True), (".tif", ".btf")),
    "tiff of three pages": (animation("TIFF"), TIF),
    "big-endian 16-bit tiff": (tiff("u2", order=">", scale=257), TIF),
    "signed 16-bit tiff": (tiff("i2", scale=100), TIF),
    "8-bit min-is-white tiff": (tiff("u1", white=0), TIF),
    "16-bit min-is-white tiff": (tiff("u2", scale=257, white=0), TIF),
    "12-bit tiff in 16": (tiff("u2", scale=16), TIF),
    "float tiff up to 255": (tiff("f4"), TIF),
    "float tiff up to millions": (tiff("f4", scale=1e5), TIF),
    "16-bit RGB tiff": (tiff("u2", 3, scale=257), TIF),
}
RARE = {
    "32-bit tiff": (tiff("u4", scale=16_843_009), TIF),
    "double tiff": (tiff("f8"), TIF),
    "float RGB tiff": (tiff("f4", 3, scale=1 / 255), TIF),
    "tiff of 2 channels": (tiff("u1", 2), TIF),
    "tiff of 7 channels": (tiff("u1", 7), TIF),
    "pfm": (pillow("PPM", "F"), (".pfm",)),
    "jpeg 2000": (pillow("JPEG2000"), (".jp2", ".j2k")),
    "avif": (pillow("AVIF"), (".avif",)),
    "tga": (pillow("TGA"), (".tga",)),
    "pcx": (pillow("PCX"), (".pcx",)),
    "ico": (pillow("ICO", "RGBA"), (".ico",)),
    "icns": (pillow("ICNS", "RGBA"), (".icns",)),
    "sgi": (pillow("SGI"), (".sgi", ".rgb")),
    "dds": (pillow("DDS"), (".dds",)),
    "qoi": (pillow("QOI"), (".qoi",)),
}
SOMEHOW_BROKEN = {
    **{
        f"{name}, {how}": (break_file(source[name][0]), (source[name][1][0],))
        for how, break_file in (("cut off", cut_off), ("damaged", damaged))
        for source, names in (
            (USUAL, ("jpeg", "CMYK jpeg", "progressive jpeg", "RGB png", "png of a palette",
                     "16-bit RGB png", "animated gif", "animated webp", "P bmp", "ppm")),
            (TIFFS, ("RGB tiff", "tiff, tiff_lzw", "tiff, jpeg", "tiff of three pages", "BigTIFF")),
            (RARE, ("avif", "jpeg 2000")),
        )
        for name in names
    },
    "zip": (zip_of_a_picture, (".zip", ".ZIP")),  # in a folder or an archive
    "tar": (tar_of_a_picture(bytes), (".tar",)),
    "tar.gz": (tar_of_a_picture(gzip.compress), (".tar.gz", ".tgz")),
    "tar.bz2": (tar_of_a_picture(bz2.compress), (".tar.bz2",)),
    "tar.xz": (tar_of_a_picture(lzma.compress), (".tar.xz",)),
}  # fmt: skip
UNREADABLE = {
    "start of a jpeg": (constant(b"\xff\xd8\xff\xe0" + bytes(range(256))), JPG),
    "start of a png": (constant(b"\x89PNG\r\n\x1a\n" + bytes(range(256))), PNG),
    "start of a gif": (constant(b"GIF89a"), (".gif",)),
    "start of a tiff": (constant(b"II*\0\xff\xff\xff\x7f" + bytes(50)), TIF),
    "png of 2.5 gigapixels": (empty_png(50_000, 50_000), PNG),
    "png without pixels": (empty_png(0, 0), PNG),
    "empty file": (constant(b""), ANY),
    "zeros": (constant(bytes(1000)), ANY),  # what a full disk leaves
    "random bytes": (random_bytes, ANY),
    "text named jpg": (constant(TEXT), ANY),
    "web page named jpg": (constant(WEB_PAGE), ANY),
    "git-lfs pointer": (constant(LFS_POINTER), ANY),
    "heic": (constant(HEIC), (".heic", ".HEIC", ".heif", ".jpg", "")),
    "raw": (pillow("TIFF"), (".dng", ".NEF", ".cr2", ".arw")),
    "fuji raw": (constant(b"FUJIFILMCCD-RAW 0201" + bytes(300)), (".raf",)),
    "canon raw 3": (constant(b"\0\0\0\x18ftypcrx " + bytes(300)), (".cr3",)),
    "jpeg xl": (constant(b"\xff\x0a" + bytes(300)), (".jxl",)),
    "dicom": (constant(DICOM), (".dcm", ".DCM", ".dicom", "")),
    "photoshop": (constant(b"8BPS\0\1" + bytes(300)), (".psd",)),
    "svg": (constant(SVG), (".svg",)),
    "pdf": (constant(b"%PDF-1.7\n" + bytes(300)), (".pdf",)),
    "eps": (constant(b"%!PS-Adobe-3.0 EPSF-3.0\n"), (".eps",)),
    "mp4": (constant(MP4), (".mp4", ".MOV", ".m4v")),
    "avi": (constant(b"RIFF\0\1\0\0AVI LIST" + bytes(300)), (".avi",)),
    "mkv": (constant(b"\x1aE\xdf\xa3" + bytes(300)), (".mkv", ".webm")),
    "7z": (constant(b"7z\xbc\xaf\x27\x1c" + bytes(300)), (".7z",)),
    "rar": (constant(b"Rar!\x1a\x07\x01\0" + bytes(300)), (".rar",)),
    "tar.zst": (constant(b"\x28\xb5\x2f\xfd" + bytes(300)), (".tar.zst",)),
    "npy": (array_file(np.save), (".npy",)),
    "npz": (array_file(np.savez), (".npz",)),
    "hdf5": (constant(b"\x89HDF\r\n\x1a\n" + bytes(300)), (".h5", ".hdf5")),
    "parquet": (constant(b"PAR1" + bytes(300) + b"PAR1"), (".parquet",)),
}
NO_PICTURES = {
    "text": (constant(TEXT), (".txt", ".md", "")),
    "table": (constant(b"file,label\n1.jpg,rose\n2.jpg,tulip\n"), (".csv",)),
    "json": (constant(b'{"label": 3}\n'), (".json",)),
    "program": (constant(b"import os\nprint('BM')\n"), (".py",)),
    "text that starts like a bitmap": (constant(b"BMW, Audi and others, all listed"), ("",)),
    "text that starts like a pgm": (constant(b"P5 is the fifth part of this list"), (".txt", "")),
    "empty file of no format": (constant(b""), ("", ".txt", ".lock")),
}
KINDS: dict[str, Kind] = {
    **_each(TAKEN, USUAL),
    **_each(TAKEN, TIFFS),
    **_each(EITHER, RARE),
    **_each(EITHER, SOMEHOW_BROKEN),
    **_each(NAMED, UNREADABLE),
    **_each(QUIET, NO_PICTURES),
}
