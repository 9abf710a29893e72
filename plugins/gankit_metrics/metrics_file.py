"""metrics.json and metrics.csv in a run's folder: one row for each step and metric."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError, quote_value
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.portable_path import path_from_here
from gankit.core.files.read_json import Types, find_wrong_type, read_json
from gankit.core.files.retried_write import describe_write_error
from gankit.core.parts.choice import Choice
from gankit.core.shell import join_command
from gankit.data.alpha import checkerboard, flatten
from gankit.runs.log import to_csv
from gankit.runs.provenance import of_run
from gankit_metrics.measurement import Measurement

log = logging.getLogger("gankit")
KEY = ("step", "metric")  # a new row replaces an old one that has the same two values
COLUMNS = (*KEY, *(f.name for f in dataclasses.fields(Measurement) if f.name not in KEY))

NUMBER = int | float | None
TYPES: dict[str, Types] = {
    **dict.fromkeys(("metric", "better", "features", "note", "picture", "against"), str),
    **dict.fromkeys(("value", "low", "high", "floor", "seconds"), NUMBER),
    **dict.fromkeys(("samples", "reference", "step"), int),
}


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's metrics.json; none if there is no such file."""
    path = folder / "metrics.json"
    if not path.exists():
        return []
    try:
        rows = read_json(path, "a file of measurements")
        reason = _find_fault(rows)
    except GankitError as error:
        raise GankitError(f"{error}: move or delete it") from error
    if reason:
        raise GankitError(f"cannot read {path} ({reason}): move or delete it")
    return [{name: row[name] for name in COLUMNS} for row in rows]


def _find_fault(rows: Any) -> str:
    """Why rows cannot be those of a metrics.json; empty if they can."""
    if not isinstance(rows, list):
        return f"it holds {quote_value(rows)}"
    for row in rows:
        wrong = find_wrong_type(row, TYPES)
        missing = wrong or next((f"{name} is missing" for name in COLUMNS if name not in row), "")
        if missing:
            return missing
    return ""


def add_metrics(folder: Path, measurements: Iterable[Measurement]) -> None:
    """Add rows, sorted by step; each file is replaced atomically."""
    new_rows = []
    for measurement in measurements:
        fields = dataclasses.asdict(measurement)
        if measurement.picture:  # relative to the folder, which may be moved
            fields["picture"] = Path(measurement.picture).relative_to(folder).as_posix()
        new_rows.append({name: fields[name] for name in COLUMNS})
    new_keys = [_identity(row) for row in new_rows]
    rows = [row for row in read_metrics(folder) if _identity(row) not in new_keys]
    _write_metrics(folder, sorted(rows + new_rows, key=lambda row: row["step"]))


def forget_metrics_after(folder: Path, step: int) -> None:
    """Delete the rows after a step that a resumed run takes again. GankitError."""
    rows = read_metrics(folder)
    kept = [row for row in rows if row["step"] <= step]
    if len(kept) < len(rows):
        _write_metrics(folder, kept)


def _write_metrics(folder: Path, rows: list[dict[str, Any]]) -> None:
    try:
        write_atomically(folder / "metrics.json", json.dumps(rows, indent=1) + "\n")
        write_atomically(folder / "metrics.csv", to_csv(COLUMNS, rows))
    except OSError as error:
        why = describe_write_error(error)
        raise GankitError(f"cannot write {folder / 'metrics.json'}: {why}", 1) from error


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEY)


def picture_path(folder: Path, step: int, metric: Choice) -> Path:
    """The file for a metric's picture at one step."""
    return folder / "metrics" / f"{metric.name}-{step:06d}.png"


def save_metric_picture(
    pixels: Pixels, folder: Path, step: int, metric: Choice, samples: int
) -> str:
    """Write a metric's picture of `samples` pictures, uint8 (H, W, C).

    Returns its path, or an empty text if it cannot be written.
    """
    from gankit.runs.images import save_picture  # imports torch, which reading needs not

    path = picture_path(folder, step, metric)
    words = ["gankit", "evaluate", path_from_here(folder)]
    words += ["--metric", metric, "--checkpoint", str(step), "--samples", str(samples)]
    pixels = flatten(pixels, checkerboard(*pixels.shape[:2]))  # if it is of transparent pictures
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    try:
        save_picture(picture, path, of_run(folder, step, join_command(words)))
    except OSError as error:
        log.warning("cannot write %s: %s", path, describe_write_error(error))
        return ""
    return str(path)
