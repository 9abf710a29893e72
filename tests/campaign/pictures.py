"""Altered pictures of every format that gankit reads."""

import random
import sys
from pathlib import Path

from mutate import alter_bytes
from outcome import Case, Kind, Outcome, Setup
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "inputs"))
import kinds
from writers import SIZES, Picture

from gankit.data.find.kinds import START_BYTES, recognise
from gankit.data.read.decode import decode, measure_range

JUDGED = (
    "Each file is read as a picture of its size in RGB or grey, or it is named in one short line; "
    "it takes at most 20 s and 1,500 MB, and nothing is printed."
)
ARCHIVES = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz")
LONGEST_REASON = 300


def prepare(setup: Setup) -> list[tuple[str, bytes]]:
    """Pictures of every format, mode and encoder, in several sizes, as (name, bytes)."""
    pictures = []
    for name, kind in kinds.KINDS.items():
        if kind.outcome in (kinds.TAKEN, kinds.EITHER) and name not in ARCHIVES:
            for number, size in enumerate(((17, 31), (64, 64), SIZES[len(name) % len(SIZES)])):
                picture = Picture(*size, "noise" if number else "gradient", number)
                pictures.append((f"a{kind.endings[0]}", kind.write(picture)))
    return pictures


def try_case(case: Case) -> Outcome:
    name, data = case.rng.choice(case.prepared)
    altered = alter_bytes(data, case.rng)
    if case.rng.random() < 0.1:
        altered = _joined(altered, case.rng.choice(case.prepared)[1], case.rng)
    path = case.folder / name.replace("?", "-")
    path.write_bytes(altered)
    kind = recognise(name, altered[:START_BYTES])
    if not kind.is_picture:
        return Outcome("left out", _check_reason(kind.reason) if kind.reason else ())
    try:
        measure_range(path)
        image = decode(path, case.rng.choice((0, 0, 16, 64)))
    except ValueError as error:
        return Outcome("named as broken", _check_reason(str(error)))
    return Outcome("read", _check_image(image))


def _joined(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """The start of one picture and the end of another."""
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _check_reason(reason: str) -> tuple[str, ...]:
    is_line = reason.isprintable() and 0 < len(reason) <= LONGEST_REASON
    return () if is_line else (f"not one short line: {reason[:400]!r}",)


def _check_image(image: Image.Image) -> tuple[str, ...]:
    if image.mode not in ("RGB", "L"):
        return (f"the mode is {image.mode}",)
    expected = image.width * image.height * len(image.getbands())
    if not expected:
        return (f"an empty picture: {image.size}",)
    return () if len(image.tobytes()) == expected else ("pixels are missing",)


KIND = Kind("pictures", JUDGED, try_case, short=1500, long=100_000, prepare=prepare, seconds=20)
