"""Write and read log.csv: one row for each logged step, with losses and what each trick did.

Its columns are numbers, then a text for each trick, then the numbers that tricks and observers have
reported: `ada.p`. A name that is reported for the first time gets a column then.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.read_file import read_regular_file
from gankit.core.parts.choice import Choice
from gankit.core.run.settings import Run
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.run_file import folder_of

NAME = "log.csv"
MAX_BYTES = 1 << 30  # five million rows
_STEP = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"|nan|-?inf|-?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]{1,3})?")  # empty: none
NUMBERS = ("step", "kimg", "seconds", "d_loss", "g_loss", "penalty", "d_real", "d_fake")


def columns(tricks: Sequence[Choice]) -> list[str]:
    """The names of the columns for a run with these tricks: numbers first, then one per trick."""
    return [*NUMBERS, *(trick.name for trick in tricks)]


def read_rows(folder: Path, missing_ok: bool = False) -> list[dict[str, str]]:
    """Read the rows of a run's log, oldest first. GankitError if there is no log.

    With `missing_ok`, a missing log gives no rows.
    """
    if missing_ok and not os.path.lexists(folder / NAME):
        return []
    _, rows = _read_table(folder)
    return rows


def _read_table(folder: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns of a run's log, and its rows."""
    path = folder / NAME
    text = read_regular_file(path, MAX_BYTES).decode(errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    try:
        rows = list(reader)
    except csv.Error as error:
        raise GankitError(f"{path} is not a log of gankit: {error}") from error
    for row in rows:
        row.pop("", None)  # cells beyond the columns
    return list(reader.fieldnames or ()), [row for row in rows if _is_row(row)]


def _is_row(row: Mapping[str, str]) -> bool:
    """Whether a row is whole: it has a step, and numbers in the columns of numbers."""
    return bool(_STEP.fullmatch(row.get("step", ""))) and all(
        _NUMBER.fullmatch(row.get(name, "")) for name in NUMBERS
    )


def read_log(run: str | Path | Run) -> dict[str, list[Any]]:
    """Read the columns of a run's log.csv by name: numbers as floats, what tricks did as text.

    `run`: a Run, its folder, or the path of its log.csv. A number that is missing in a
    row is NaN. The columns of a run without rows are empty. GankitError if there is no log.
    """
    names, rows = _read_table(_folder_of_log(run))
    log: dict[str, list[Any]] = {}
    for name in filter(None, names):
        column = [row[name] for row in rows]
        is_number = name in NUMBERS or (is_reported(name) and all(map(_NUMBER.fullmatch, column)))
        log[name] = [float(value or "nan") for value in column] if is_number else column
    return log


def _folder_of_log(run: str | Path | Run) -> Path:
    """The folder with a log: of a run, or given by its path or that of its log.csv. GankitError."""
    path = Path(folder_of(run))
    folder = path.parent if path.name == NAME and not path.is_dir() else path
    return folder if isinstance(run, Run) or os.path.lexists(folder / NAME) else find_run(folder)


def is_reported(name: str) -> bool:
    """Whether a column holds numbers that a trick or an observer reported, as `ada.p`."""
    return "." in name


def write_rows(folder: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a new log with these columns and rows; an old one is replaced."""
    write_atomically(folder / NAME, to_csv(names, rows))


def to_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of a CSV file with these columns and rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def append_rows(folder: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Append rows to the log, all of them or none; `names` are its columns, in order.

    A missing log or folder is created. A log that is a link, or that has a second name, is replaced
    by a file of its own: an append would change a file elsewhere. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    header, _, lines = to_csv(names, rows).partition("\n")
    if _is_shared(path):
        earlier = path.read_text(encoding="utf-8") if path.exists() else f"{header}\n"
        write_atomically(path, earlier + lines)
        return
    # Without a buffer: what a buffer cannot write, it would write later, after the error.
    with open(path, "ab", buffering=0, opener=_open_no_link) as file:
        size = file.tell()
        content = lines if size else f"{header}\n{lines}"
        encoded = content.encode(errors="replace")
        try:
            if file.write(encoded) < len(encoded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(size)  # no half row
            raise


def _is_shared(path: Path) -> bool:
    """Whether a file is a link, or has another name by a hard link."""
    try:
        info = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISLNK(info.st_mode) or info.st_nlink > 1


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)  # Windows has no such flag
