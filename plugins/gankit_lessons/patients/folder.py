"""The folder of a patient, such as `patients/07`: its run, the tries to cure it, and result.json.

run/          the broken run
try-1/        the run of the first cure
report.html   grids, curves and numbers of all of them
result.json   what was typed, and how it was graded
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.read_json import Types, find_wrong_type, read_json_object
from gankit_lessons.patients.grade import Grade

FILE = "result.json"
WHAT = "a result of gankit patient"
TYPES: dict[str, Types] = {"patient": int, "hints": int, "tries": list}
TRY_TYPES: dict[str, Types] = {
    "name": str, "cure": str, "command": str, "folder": str, "is_named": bool, "is_gone": bool,
    "is_better": bool, "before": float | int | None, "after": float | int | None,
    "findings": list, "failure": str,
}  # fmt: skip


@dataclass
class Result:
    """All that a student did with a patient."""

    patient: int
    hints: int = 0  # that were shown
    tries: list[Grade] = field(default_factory=list)

    @property
    def is_named(self) -> bool:
        return any(grade.is_named for grade in self.tries)

    @property
    def is_healed(self) -> bool:
        return any(grade.is_healed for grade in self.tries)


def patient_folder(out: Path, number: int) -> Path:
    """Where a patient lies. GankitError if something else is in its place."""
    folder = out / f"{number:02d}"
    for path in (out, folder):
        if path.exists() and not path.is_dir():
            raise GankitError(f"{path} is not a folder: move it, or choose another --out")
    return folder


def read_result(folder: Path, number: int) -> Result:
    """What was done with a patient; empty if nothing was. GankitError if the file is damaged."""
    path = folder / FILE
    if not path.exists():
        return Result(number)
    record = read_json_object(path, WHAT, TYPES)
    tries = record.get("tries", [])
    reasons = [reason for reason in map(_why_not_a_try, tries) if reason]
    if reasons or record.get("patient") != number:
        reason = reasons[0] if reasons else f"it is not of patient {number}"
        raise GankitError(f"{path} is not {WHAT}: {reason}")
    grades = [Grade(**{name: entry[name] for name in TRY_TYPES}) for entry in tries]
    return Result(number, record.get("hints", 0), grades)


def _why_not_a_try(entry: Any) -> str:
    """What is wrong with a try in the file; empty if nothing is."""
    reason = find_wrong_type(entry, TRY_TYPES)
    missing = [] if reason else sorted(set(TRY_TYPES) - set(entry))
    return reason or (f"{missing[0]} is missing" if missing else "")


def write_result(folder: Path, result: Result) -> None:
    """Write result.json. GankitError if it cannot be written."""
    path = folder / FILE
    tries = [
        {**asdict(grade), "grade": grade.kind, "is_healed": grade.is_healed}
        for grade in result.tries
    ]
    record: dict[str, Any] = {**asdict(result), "tries": tries}
    try:
        write_atomically(path, json.dumps(record, indent=2) + "\n")
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error.strerror}; choose another --out") from error


def next_hint(folder: Path, result: Result, hints: tuple[str, ...]) -> str:
    """The next hint, which is noted in result.json; the last one again if all were shown."""
    result.hints = min(result.hints + 1, len(hints))
    write_result(folder, result)
    return describe_hint(result.hints, hints)


def describe_hint(number: int, hints: tuple[str, ...]) -> str:
    """A hint with its number, which begins at 1."""
    return f"hint {number} of {len(hints)}: {hints[number - 1]}"
