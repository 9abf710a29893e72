"""The mark in every picture that gankit draws, so that `--data` does not train on it."""

import os
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

MARK = b"made by gankit"
WEBP_WITH_EXIF = (8, b"WEBPVP8X")  # offset and bytes of a webp whose end may hold the mark
END_BYTES = 256  # of such a file, enough for the mark


def mark_options(file_format: str, comment: str) -> dict[str, Any]:
    """Options of Pillow's `save` that write a comment, in ASCII, which begins with the mark.

    In EXIF data of a webp, where the mark itself is the last entry.
    """
    if file_format == "WEBP":
        exif = Image.Exif()
        exif[ExifTags.Base.ImageDescription] = comment
        exif[ExifTags.Base.Software] = MARK.decode()
        return {"exif": exif}
    chunks = PngInfo()
    chunks.add_text("Comment", comment)
    return {"pnginfo": chunks} if file_format == "PNG" else {"comment": comment.encode()}


def is_marked(path: str | Path, start: bytes) -> bool:
    """Whether gankit drew the picture at this path, whose first bytes are `start`."""
    if MARK in start:
        return True
    offset, magic = WEBP_WITH_EXIF
    if not start.startswith(magic, offset):
        return False
    with open(path, "rb") as file:  # noqa: PTH123 - takes both kinds of path
        file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
        return MARK in file.read()
