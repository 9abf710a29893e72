"""Archives as people report them, and the same with altered bytes."""

import os
import sys
from pathlib import Path

from mutate import alter_bytes
from outcome import Case, Kind, Outcome

sys.path.insert(0, str(Path(__file__).parents[1] / "inputs"))
from test_reported_archives import PHOTOS, REPORTED

from gankit.core.errors import GankitError
from gankit.data.datasets import picture_files

JUDGED = (
    "Its pictures are read and its other files named in one line each, or the archive is refused "
    "in one line; each picture that is taken decodes or is named; nothing is written outside the "
    "cache, and nothing unfinished stays in it."
)


def try_case(case: Case) -> Outcome:
    name = list(REPORTED)[case.number % len(REPORTED)]
    row = REPORTED[name]
    is_altered = case.number >= len(REPORTED)
    path = case.folder / row.name
    path.write_bytes(alter_bytes(row.data, case.rng) if is_altered else row.data)
    cache = case.folder / "cache"
    os.environ["GANKIT_CACHE"] = str(cache)
    try:
        files = picture_files((str(path),), 64)
    except GankitError as error:
        complaints = _check_line(str(error))
        if error.exit_code not in (1, 2):
            complaints.append(f"exit code {error.exit_code}")
        taken = 0
    else:
        taken = len(files)
        complaints = [text for line in files.left_out for text in _check_line(line)]
        complaints += _read_all(files)
    if not is_altered and taken != row.taken:
        complaints.append(f"{name}: {taken} pictures are taken, not {row.taken}")
    complaints += _check_places(case.folder, {path.name, "cache"})
    return Outcome("refused" if not taken else "read", tuple(complaints))


def _read_all(files: object) -> list[str]:
    complaints = []
    for index in range(len(files)):  # type: ignore[arg-type]
        try:
            files[index].tobytes()  # type: ignore[index]
        except ValueError as error:
            complaints += _check_line(str(error))
    return complaints


def _check_line(line: str) -> list[str]:
    is_line = line.isprintable() and 0 < len(line) <= 1000
    return [] if is_line else [f"not one short line: {line[:300]!r}"]


def _check_places(folder: Path, expected: set[str]) -> list[str]:
    outside = {path.name for path in folder.iterdir()} - expected
    complaints = [f"written outside the cache: {sorted(outside)}"] if outside else []
    names = {name for name, _ in PHOTOS}
    strangers = [path for path in folder.parent.iterdir() if path.name in names]
    complaints += [f"written outside the cache: {strangers}"] if strangers else []
    left = [path.name for path in (folder / "cache").rglob("*.aside")]
    return complaints + ([f"left behind: {left}"] if left else [])


KIND = Kind("archives", JUDGED, try_case, short=100, long=3000)
