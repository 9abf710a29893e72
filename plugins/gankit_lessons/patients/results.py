"""A class's results: a row for each student's folder, a column for each patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit_lessons.patients.folder import FILE, Result, read_result
from gankit_lessons.patients.patients import HEALTHY, PATIENTS

NOTHING = ""
TRIED = "tried"
NAMED = "named"
CURED = "cured"
BOTH = "both"


def read_class(folders: tuple[str, ...]) -> dict[str, dict[int, Result]]:
    """Student -> patient -> result, from folders that hold a folder `patients`, or are one."""
    students: dict[str, dict[int, Result]] = {}
    for given in folders:
        folder = Path(given)
        if not folder.is_dir():
            raise GankitError(f"there is no folder {folder}: give the folders of the students")
        patients = folder / "patients" if (folder / "patients").is_dir() else folder
        results = {
            number: read_result(patients / f"{number:02d}", number)
            for number in PATIENTS
            if (patients / f"{number:02d}" / FILE).exists()
        }
        if not results:
            raise GankitError(f"{folder} holds no result of a patient, such as patients/07/{FILE}")
        students[_name(folder, students)] = results
    return students


def _name(folder: Path, taken: dict[str, Any]) -> str:
    """The name of a student: that of the folder, or its whole path if there are two."""
    folder = folder.absolute()
    name = folder.parent.name if folder.name == "patients" else folder.name
    return str(folder) if name in taken else name


def mark(result: Result | None) -> str:
    """What a student did with a patient, in a word."""
    if result is None or not (result.tries or result.hints):
        return NOTHING
    if result.is_named and result.is_healed:
        return BOTH
    if result.is_named:
        return NAMED
    return CURED if result.is_healed else TRIED


def as_dict(students: dict[str, dict[int, Result]]) -> dict[str, Any]:
    """The table as data for JSON."""
    rows = []
    for student, results in students.items():
        patients = {
            str(number): {
                "named": result.is_named,
                "healed": result.is_healed,
                "tries": len(result.tries),
                "hints": result.hints,
            }
            for number, result in results.items()
        }
        solved = sum(mark(result) == BOTH for result in results.values())
        rows.append({"student": student, "patients": patients, "solved": solved})
    return {"students": rows}


def table(students: dict[str, dict[int, Result]]) -> list[str]:
    """The table as lines: students below each other, patients side by side."""
    numbers = [number for number in PATIENTS if number != HEALTHY]
    width = max(len("student"), *(len(student) for student in students))
    lines = [f"{'student':{width}}  " + " ".join(f"{number:>5}" for number in numbers) + "  solved"]
    for student, results in students.items():
        marks = [mark(results.get(number)) for number in numbers]
        cells = " ".join(f"{text:>5}" for text in marks)
        lines.append(f"{student:{width}}  {cells}  {marks.count(BOTH):>6}")
    lines += ["", "both: right name and a cure that heals; named, cured: only that; tried: neither"]
    return lines
