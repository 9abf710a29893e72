"""What a file is, by its first bytes and its name: a picture, or why it is left out."""

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from gankit.data.find.names import is_lesson_picture
from gankit.data.find.reasons import (
    ARCHIVE,
    ARRAY,
    COMPRESSED_STARTS,
    DRAWING,
    EMPTY,
    FILM,
    HEIC,
    IGNORED_ENDINGS,
    NESTED,
    NOT_A_PICTURE,
    PICTURE_ENDINGS,
    RAW,
    RAW_ENDINGS,
    REASONS,
    STARTS,
    TEXT,
    UNKNOWN,
    UNREAD,
    WEB_PAGE,
    WEB_STARTS,
    ZEROS,
    ZIP_STARTS,
)
from gankit.data.find.tables import may_be_table
from gankit.data.read.formats import HEIC_BRANDS, is_animation, starts_like_picture
from gankit.data.read.mark import is_marked

START_BYTES = 4096  # of a file, which `recognise` needs to see
RUN_FILES = frozenset({"run.json", "race.json"})  # in the folders of runs and races
RUN_FILE_KEYS = re.compile(rb'"(dataset|gankit)"\s*:')

# What programs and servers append to a name: a.jpg?w=500, a.jpg.1, a.jpg (1), a.jpg~, a.jpg_large.
APPENDED = re.compile(
    r"(\?.*|\.\d+|~|\s*\(\d+\)|-\d+-of-\d+|[:_!](large|orig|original|small|d)"
    r"|\.(part|partial|crdownload|download|bak|tmp))+$"
)

PACKED = re.compile(r"\W(tar|nii|ubyte)(\.(gz|bz2|xz))?$")


# What a file may hold besides one picture.
NPY = "npy"  # an array
NPZ = "npz"  # several arrays
FILM_FRAMES = "film"
ANIMATION = "animation"  # a picture with further frames
TABLE = "table"  # of labels
ARRAYS = (NPY, NPZ)


class Kind(NamedTuple):
    """What a file is. Neither a picture, nor a reason, nor what it holds: it is ignored."""

    is_picture: bool = False
    reason: str = ""  # why a file that is not a picture is left out
    holds: str = ""


def recognise(name: str, start: bytes) -> Kind:
    """What the file of this name is, by its first START_BYTES bytes (all of a shorter file)."""
    ending = ending_of(name)
    if starts_like_picture(start) and ending not in RAW_ENDINGS:
        return Kind(is_picture=True, holds=ANIMATION if is_animation(start) else "")
    if ending in IGNORED_ENDINGS:
        return Kind(holds=TABLE if may_be_table(name, start) else "")
    reason = _reason(ending, start)
    if reason == ARRAY:
        return Kind(reason=reason, holds=NPZ if start.startswith(ZIP_STARTS) else NPY)
    return Kind(reason=reason, holds=FILM_FRAMES if reason == FILM else "")


def is_own_picture(name: str, path: str | Path, start: bytes) -> bool:
    """Whether gankit drew the picture of this name, which is the file at the path."""
    return is_lesson_picture(name) or is_marked(path, start)


def ending_of(name: str) -> str:
    """What a name says about the file: "jpg" for `a.JPG` and `a.jpg?w=500`, "" for `a`.

    The compressed files of which gankit knows more are `tgz` (`a.tar.gz`), `nii` (`a.nii.gz`) and
    `ubyte` (MNIST's `t10k-images-idx3-ubyte.gz`).
    """
    name = APPENDED.sub("", name.lower())
    if match := PACKED.search(name):
        return "tgz" if match[1] == "tar" else match[1]
    stem, _, ending = name.rpartition(".")
    return ending if stem else ""


def ending_is_known(name: str) -> bool:
    """Whether a name alone says that the file is a picture, a film, an archive or the like."""
    ending = ending_of(name)
    return ending in PICTURE_ENDINGS or ending in REASONS


def is_run_file(name: str, start: bytes) -> bool:
    """Whether the file is the run.json of a run or the race.json of a race, by its first bytes."""
    return name in RUN_FILES and bool(RUN_FILE_KEYS.search(start))


def _reason(ending: str, start: bytes) -> str:
    """Why a file that does not begin like a picture is left out; "" for a text."""
    if not start:
        return EMPTY
    reason = _reason_of_start(ending, start) or REASONS.get(ending, "")
    if reason:
        return reason
    is_text = _is_text(start)
    if ending in PICTURE_ENDINGS:
        if is_text:
            return TEXT
        return NOT_A_PICTURE if start.strip(b"\0") else ZEROS
    return "" if is_text else UNKNOWN


def _reason_of_start(ending: str, start: bytes) -> str:
    """What the first bytes say, with the ending's help where several kinds begin alike; or ""."""
    for offset, magic, reason in STARTS:
        if start.startswith(magic, offset):
            return reason
    if start.startswith(ZIP_STARTS):  # documents and data files are zips too
        if ending == "npz":
            return ARRAY
        return REASONS.get(ending, NESTED)
    if start.startswith(COMPRESSED_STARTS):
        return REASONS.get(ending, ARCHIVE)
    if start[4:8] == b"ftyp":
        return _reason_of_brand(start[8:12])
    text = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith(WEB_STARTS):
        return WEB_PAGE
    return DRAWING if text.startswith(b"<svg") or (text[:5] == b"<?xml" and b"<svg" in text) else ""


def _reason_of_brand(brand: bytes) -> str:
    """What a file in the container of mp4 and HEIC holds."""
    if brand in HEIC_BRANDS:
        return HEIC
    if brand in (b"avif", b"avis", b"jxl "):
        return UNREAD
    return RAW if brand == b"crx " else FILM


def _is_text(start: bytes) -> bool:
    """Whether the bytes are UTF-8 without control characters, or say that they are UTF-16."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)  # the end may be cut off
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text)
