"""Where a picture or video comes from: a text in the file, which `gankit show FILE` reads.

It is one comment, `made by gankit {"version": "0.3", "command": "gankit run ...", ...}`, in each
format at the place where the format keeps comments. It has no clock and no name of a computer, so
a repeated run writes the same grids, byte for byte.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit.core.files.portable_path import hide_home
from gankit.core.files.read_json import parse_json, read_json_object
from gankit.core.version import __version__
from gankit.data.read.mark import MARK
from gankit.training.run_folder.find_run import RUN_FILE

MAX_LETTERS = 4096  # of an entry; a longer one is left out: run.json has the whole command
KINDS = "a .png, .jpg, .gif, .webp or .mp4 file"
MAX_COMMENT = 64 * 1024  # characters of a comment that is read
VIDEO_START = (4, b"ftyp")  # offset and bytes at the start of an .mp4

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provenance:
    """What made a picture; entries that are empty or None are unknown."""

    command: str = ""  # that writes the file
    run: str = ""  # the command that repeats the run, if `command` is another
    seed: int | None = None
    step: int | None = None  # of training, at which G was used
    version: str = __version__  # of gankit


def to_comment(provenance: Provenance | None) -> str:
    """The text for a file, in ASCII; it does not name your home folder."""
    return f"{MARK.decode()} {json.dumps(entries_of(provenance or Provenance()))}"


def entries_of(provenance: Provenance) -> dict[str, Any]:
    """The entries that are known, for a file; they do not name your home folder."""
    entries = dataclasses.asdict(provenance)
    for name in ("command", "run"):
        entries[name] = hide_home(entries[name])
    return _known_entries(entries)


def _known_entries(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a Provenance that have the right type and length and are not empty."""
    types = {"version": str, "command": str, "run": str, "seed": int, "step": int}
    return {
        name: entries[name]
        for name, kind in types.items()
        if type(entries.get(name)) is kind and 0 < len(str(entries[name])) <= MAX_LETTERS
    }


def of_run(folder: Path, step: int, command: str = "", seed: int | None = None) -> Provenance:
    """The provenance of a picture of the run in `folder`, whose run.json it reads.

    `command` writes the picture, if that is another command than the one that repeats the run.
    `seed` is that of the picture, by default the run's.
    """
    try:
        record = read_json_object(folder / RUN_FILE, "a run.json of gankit")
    except GankitError:  # it is gone or damaged: then the picture says less
        record = {}
    entries = _known_entries(record)
    run = entries.get("command", "")
    seed = entries.get("seed") if seed is None else seed
    return Provenance(command or run, run if command else "", seed, step)


def read_provenance(path: Path) -> Provenance | None:
    """Where a picture or video of gankit comes from; None if it does not say.

    The file may come from anybody. GankitError if it is not a picture or video that can be read.
    """
    reason = f"it is damaged, or not {KINDS}"
    try:
        if stat.S_ISREG(path.stat().st_mode):  # reading a pipe may never end
            return _parse(_read_comment(path)[:MAX_COMMENT])
    except OSError as error:
        reason = error.strerror or reason
    except Exception:  # Pillow raises SyntaxError, DecompressionBombError, ...
        log.debug("cannot read %s", path, exc_info=True)
    raise GankitError(f"cannot read {path}: {reason}")


def _read_comment(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(16)
    offset, magic = VIDEO_START
    return _comment_of_video(path) if start.startswith(magic, offset) else _comment_of_picture(path)


def _comment_of_picture(path: Path) -> str:
    """What a picture's comment says; only the file's header is read, no pixel."""
    from PIL import ExifTags, Image

    with Image.open(path, formats=("PNG", "JPEG", "GIF", "WEBP")) as picture:
        comment = picture.info.get("comment", picture.info.get("Comment"))
        if picture.format == "WEBP":
            comment = picture.getexif().get(ExifTags.Base.ImageDescription)
    return comment.decode(errors="replace") if isinstance(comment, bytes) else str(comment)


def _comment_of_video(path: Path) -> str:
    import av

    with av.open(str(path), format="mp4") as video:
        return str(video.metadata.get("comment"))


def _parse(comment: str) -> Provenance | None:
    """The entries of a comment that gankit wrote; None for any other."""
    mark, brace, entries = comment.partition("{")
    if mark.strip() != MARK.decode():
        return None
    if not brace:  # of an earlier version
        return Provenance(version="")
    try:
        record = parse_json(f"{brace}{entries}".encode())
    except ValueError:
        return None
    return Provenance(**{"version": "", **_known_entries(record)})
