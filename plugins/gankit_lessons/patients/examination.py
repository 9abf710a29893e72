"""Make a patient, try a cure on it, and grade what the cured run does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gankit_doctor import examine
from gankit_metrics.evaluate import evaluate

from gankit.core.errors import GankitError, RunFailed
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run, command_line
from gankit_lessons.patients.cure import read_cure
from gankit_lessons.patients.folder import Result, patient_folder, write_result
from gankit_lessons.patients.grade import METRIC, SAMPLES, Grade, is_better
from gankit_lessons.patients.page import write_report
from gankit_lessons.patients.patients import HEALTHY, Patient
from gankit_lessons.patients.train import train_anew


def try_cure(
    patient: Patient, name: str, cure: str, run: Run, result: Result, registry: Registry
) -> Grade:
    """Train the patient with a cure, grade it, and write it into result.json."""
    cured = read_cure(cure, run, registry)
    folder = run.folder.parent
    number = len(result.tries) + 1
    cured = dataclasses.replace(cured, out=str(folder / f"try-{number}"))
    before = result.tries[0].before if result.tries else _measure(run, registry)
    try:
        trained = train_anew(cured, registry, f"the cure of patient {patient.number}")
    except RunFailed as error:
        grade = _grade(patient, name, cure, cured, before, failure=str(error))
    else:
        findings = open_findings(trained, registry)
        after = _measure(trained, registry)
        grade = _grade(patient, name, cure, cured, before, after, findings)
    result.tries.append(grade)
    write_result(folder, result)
    return grade


def _grade(
    patient: Patient,
    name: str,
    cure: str,
    cured: Run,
    before: float | None,
    after: float | None = None,
    findings: list[str] | None = None,
    failure: str = "",
) -> Grade:
    findings = findings or []
    return Grade(
        name=name,
        cure=cure,
        command=command_line(cured),
        folder=cured.folder.name,
        is_named=name in patient.names,
        is_gone=not (failure or set(findings) & set(patient.names)),
        is_better=is_better(before, after),
        before=before,
        after=after,
        findings=findings,
        failure=failure,
    )


def open_findings(run: Run, registry: Registry) -> list[str]:
    """The names of what the doctor finds at the end of a run, the most important one first."""
    findings = examine(run, registry=registry).findings
    return [finding.name for finding in findings if finding.until is None]


def _measure(run: Run, registry: Registry) -> float | None:
    """The distance of a run's pictures from real ones; None if it cannot be measured."""
    try:
        rows = evaluate(run.folder, METRIC, samples=SAMPLES, registry=registry)
    except GankitError:  # it has no checkpoint, as it failed early
        return None
    return rows[0].value


def report(patient: Patient, run: Run, result: Result, out: Path) -> Path:
    """Write report.html: the patient, its tries, and the healthy run if it was made."""
    folder = run.folder.parent
    runs = {f"patient {patient.number}": run.folder}
    for grade in result.tries:
        runs[f"{grade.folder} {grade.cure}"] = folder / grade.folder
    healthy = patient_folder(out, HEALTHY) / "run"
    if patient.number != HEALTHY and (healthy / "log.csv").exists():
        runs["healthy"] = healthy
    runs = {label: path for label, path in runs.items() if (path / "log.csv").exists()}
    return write_report(folder, f"Patient {patient.number}", runs, run.size)
