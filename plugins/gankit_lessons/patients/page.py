"""report.html: what a student sees of a patient, and of each try to heal it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

from gankit.cli.page.render import data_uri, render_page
from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.run.image_size import ImageSize
from gankit.runs.figures import plot, read_log
from gankit.runs.grids import list_grids
from gankit.runs.read_grid import read_grid

FILE = "report.html"
GRIDS = 5  # of a run, from the first to the last
SIDE = 5  # pictures in a row of a small grid
CURVE_SIZE = (360, 150)  # px
NUMBERS = {
    "d_loss": "D's loss",
    "g_loss": "G's loss",
    "penalty": "the penalty in D's loss, if there is one",
    "d_real": "D's mean answer to real pictures",
    "d_fake": "D's mean answer to G's pictures",
    "doctor.auc": "how well D tells real from fake: 1 always, 0.5 never",
    "doctor.logit": "the size of D's answers, before they become probabilities",
    "doctor.grad_g": "the length of G's gradient",
    "doctor.step_d": "by which share an update changes D's weights",
    "doctor.step_g": "by which share an update changes G's weights",
    "doctor.far": "how far G's pictures are from real ones: 0 is the best",
    "doctor.diversity": "how much G's pictures differ from each other: real ones have 1",
    "doctor.near": "how much each differs from the one most like it: real ones have 1",
    "doctor.dims": "in how many ways they differ: real ones have 1",
    "doctor.turnover": "how much a picture of the grid changes between two looks",
    "doctor.missing": "share of real pictures whose kind G never draws",
    "doctor.shift": "how far the colours are from the real ones",
    "doctor.pattern_2": "a pattern that repeats each 2 pixels, beyond that of real pictures",
    "doctor.pattern_4": "a pattern that repeats each 4 pixels, beyond that of real pictures",
}
CURVES = (
    (("d_loss", "g_loss"), 6.0),
    (("d_real", "d_fake"), 1.0),
    (("doctor.far", "doctor.diversity"), 1.5),
    (("doctor.auc", "doctor.turnover"), 1.0),
)


def write_report(folder: Path, title: str, runs: Mapping[str, Path], size: ImageSize) -> Path:
    """Write the page of some runs, label -> folder, the patient's first; returns its path."""
    logs = {label: read_log(run) for label, run in runs.items()}
    sections = [
        {"label": label, "grids": _grids(run, size), "curves": _curves(logs[label])}
        for label, run in runs.items()
    ]
    text = render_page(
        "gankit_lessons.patients",
        "patient.html",
        title=title,
        sections=sections,
        labels=list(runs),
        numbers=_numbers(list(logs.values())),
    )
    path = folder / FILE
    try:
        write_atomically(path, text)
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error.strerror}; choose another --out") from error
    return path


def _grids(run: Path, size: ImageSize) -> list[tuple[str, str]]:
    """Steps and grids of a run, evenly spaced in time, as data URIs."""
    all_grids = list_grids(run)
    last = len(all_grids) - 1
    indices = (
        sorted({round(last * share / (GRIDS - 1)) for share in range(GRIDS)}) if all_grids else []
    )
    grids = []
    for index in indices:
        step, path = all_grids[index]
        grid = read_grid(path)
        width = min(SIDE * (size.width + 2) + 2, grid.width)
        height = min(SIDE * (size.height + 2) + 2, grid.height)
        corner = grid.crop((0, 0, width, height))
        picture = corner.resize((2 * width, 2 * height), Image.Resampling.BOX)
        grids.append((f"step {step:,}", data_uri(picture, "PNG", optimize=True)))
    return grids


def _curves(log: Mapping[str, Sequence[Any]]) -> list[tuple[str, str]]:
    """Names and charts of the log's columns, as data URIs; charts without numbers are left out."""
    charts = []
    for names, top in CURVES:
        curves = {name: _finite(log.get(name, ())) for name in names}
        curves = {name: values for name, values in curves.items() if values}
        if curves:
            picture = plot(curves, 0, top, CURVE_SIZE)
            charts.append((" and ".join(curves), data_uri(picture, "PNG", optimize=True)))
    return charts


def _numbers(logs: Sequence[Mapping[str, Sequence[Any]]]) -> list[dict[str, Any]]:
    """The rows of the table: a column of log.csv, what it means, its median late in each run."""
    rows = []
    for name, meaning in NUMBERS.items():
        values = [_late_median(_finite(log.get(name, ()))) for log in logs]
        if any(values):
            rows.append({"name": name, "meaning": meaning, "values": values})
    return rows


def _finite(column: Sequence[Any]) -> list[float]:
    return [value for value in column if isinstance(value, float) and abs(value) < float("inf")]


def _late_median(values: Sequence[float]) -> str:
    """The median over the last quarter; empty if there is none."""
    return f"{median(values[-max(1, len(values) // 4) :]):.3g}" if values else ""
