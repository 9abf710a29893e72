"""A class's results: a row for each student's folder, a column for each patient."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit_lessons.patients.folder import FILE, Result, read_result
from gankit_lessons.patients.patients import HEALTHY, PATIENTS

log = logging.getLogger("gankit")
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
        if not any((patients / f"{number:02d}" / FILE).exists() for number in PATIENTS):
            raise GankitError(f"{folder} holds no result of a patient, such as patients/07/{FILE}")
        students[_name(folder, students)] = _read_results(patients)
    return students


def _read_results(patients: Path) -> dict[int, Result]:
    """The results of a student; of a damaged one, a warning."""
    results = {}
    for number in PATIENTS:
        folder = patients / f"{number:02d}"
        if not (folder / FILE).exists():
            continue
        try:
            results[number] = read_result(folder, number)
        except GankitError as error:
            log.warning("%s; it is left out", error)
    return results


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


def _cell(result: Result | None) -> str:
    """The mark of a patient in the table, with a + after a student who took hints."""
    return mark(result) + ("+" if result and result.hints and mark(result) else "")


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
    lines = [f"{'student':{width}}  " + " ".join(f"{number:>6}" for number in numbers) + "  solved"]
    for student, results in students.items():
        of_patients = [results.get(number) for number in numbers]
        cells = " ".join(f"{_cell(result):>6}" for result in of_patients)
        solved = sum(mark(result) == BOTH for result in of_patients)
        lines.append(f"{student:{width}}  {cells}  {solved:>6}")
    lines += [
        "",
        "both: right name and a cure that heals; named, cured: only that; tried: neither; +: hints",
    ]
    return lines
