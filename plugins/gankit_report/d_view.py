"""D's own view: the real pictures that D believes least, and the fakes that it believes most.

A run records it at five moments in its folder `d-view`: 000500.webp is a sheet of four rows, which
are the reals, their heat maps, the fakes and theirs; 000500.json has D's answers.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from PIL import Image

from gankit.core.errors import GankitError, describe_reason
from gankit.core.files.read_file import read_regular_file
from gankit.core.files.read_json import is_list_of, read_json_object
from gankit.training.run_folder.links import refuse_links_out

FOLDER = "d-view"  # in the run's folder
MOMENTS = 5  # in a run, at most
SHOWN = 12  # pictures of each kind, at most
MAX_SIDE = 128  # pixels of a picture in a sheet; larger ones are reduced
MAX_BYTES = 4 << 20  # of a sheet that is read: it may come from somebody else
_NAME = re.compile(r"[0-9]{6,15}")

log = logging.getLogger("gankit")


@dataclass(frozen=True)
class Judged:
    """A picture, what D looked at in it, and D's answer."""

    picture: Image.Image  # RGB
    heat: Image.Image  # RGB, of the same size: bright where a change would change D's answer most
    score: float  # as in the log: a probability, if the loss allows that reading


@dataclass(frozen=True)
class Moment:
    """What D believed after a number of steps."""

    step: int
    reals: list[Judged]  # the one that it believes least first
    fakes: list[Judged]  # the one that it believes most first


def choose_evenly(items: Sequence[Any], count: int) -> list[Any]:
    """At most `count` of the items: the first, the last, and those evenly between them."""
    if len(items) <= count:
        return list(items)
    last = len(items) - 1
    return [items[round(index * last / (count - 1))] for index in range(count)]


def recorded_steps(run_folder: Path) -> list[int]:
    """The steps whose moments are in the folder of a run, in order."""
    files = (run_folder / FOLDER).glob("*.json")
    return sorted(int(path.stem) for path in files if _NAME.fullmatch(path.stem))


def read_moments(run_folder: Path) -> list[Moment]:
    """The moments that a run recorded, at most five, in the order of their steps.

    The folder may come from somebody else: what cannot be read safely is passed over with a
    warning. Empty if the run recorded nothing.
    """
    try:
        refuse_links_out(run_folder, [FOLDER])
    except GankitError as error:
        log.warning("%s", error)
        return []
    moments = []
    for step in choose_evenly(recorded_steps(run_folder), MOMENTS):
        try:
            moments.append(_read_moment(run_folder / FOLDER, step))
        except GankitError as error:
            log.warning("%s; this moment is omitted", error)
    return moments


def files_of(folder: Path, step: int) -> tuple[Path, Path]:
    """The sheet and the numbers of a moment in `folder`."""
    return folder / f"{step:06d}.webp", folder / f"{step:06d}.json"


def _read_moment(folder: Path, step: int) -> Moment:
    """A moment from its two files. GankitError."""
    sheet_path, path = files_of(folder, step)
    record = read_json_object(path, "a record of D's own view", {"size": int, "height": int})
    width = record.get("size", 0)
    height = record.get("height", width)  # only of pictures that are not square
    scores = [_require_numbers(record.get(kind), path) for kind in ("reals", "fakes")]
    count = len(scores[0])
    is_possible = 1 <= min(width, height) <= max(width, height) <= MAX_SIDE
    if not 1 <= count <= SHOWN or len(scores[1]) != count or not is_possible:
        size = f"{width} pixels" if width == height else f"{width} x {height} pixels"
        raise GankitError(f"{path} says that there are {count} pictures of {size}")
    sheet = _read_sheet(sheet_path, (count * width, 4 * height))
    rows = [_cut_row(sheet, row * height, count, (width, height)) for row in range(4)]
    reals = map(Judged, rows[0], rows[1], scores[0])
    fakes = map(Judged, rows[2], rows[3], scores[1])
    return Moment(step, list(reals), list(fakes))


def _require_numbers(values: Any, path: Path) -> list[float]:
    if not is_list_of(values, float | int) or not all(map(isfinite, values)):
        raise GankitError(f"{path} has no list of finite numbers where D's answers should be")
    return list(values)


def _read_sheet(path: Path, size: tuple[int, int]) -> Image.Image:
    """A sheet of this size (width, height), read as a webp and as nothing else. GankitError."""
    content = io.BytesIO(read_regular_file(path, MAX_BYTES))
    try:
        with Image.open(content, formats=("WEBP",)) as sheet:
            if sheet.size != size:
                raise ValueError(f"it has {sheet.width} x {sheet.height} pixels")
            return sheet.convert("RGB")
    except Exception as error:  # Pillow raises SyntaxError, ValueError, DecompressionBombError, ...
        raise GankitError(f"cannot read {path}: {describe_reason(error)}") from error


def _cut_row(sheet: Image.Image, top: int, count: int, size: tuple[int, int]) -> list[Image.Image]:
    """The pictures of this size (width, height) of a row that begins at `top`."""
    width, height = size
    corners = [(column * width, top) for column in range(count)]
    return [sheet.crop((left, top, left + width, top + height)) for left, top in corners]
