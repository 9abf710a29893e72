"""metrics.json and metrics.csv in a run's folder: one row for each step and metric."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gankit.core.atomic_write import write_atomically
from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit_metrics.measured import Measured

FIRST = ("step", "metric")  # a row of these two replaces an older one
COLUMNS = (*FIRST, *(f.name for f in dataclasses.fields(Measured) if f.name not in FIRST))


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows that a run's folder holds."""
    path = folder / "metrics.json"
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [{name: row[name] for name in COLUMNS} for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GankitError(f"{path} cannot be read ({error}): move it away") from error


def write(folder: Path, found: Iterable[Measured]) -> None:
    """Add rows, by step; both files are whole at any time."""
    new = [{name: row[name] for name in COLUMNS} for row in map(dataclasses.asdict, found)]
    taken = [[row[name] for name in FIRST] for row in new]
    rows = [row for row in read(folder) if [row[name] for name in FIRST] not in taken]
    rows = sorted(rows + new, key=lambda row: row["step"])
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    contents = {"metrics.json": json.dumps(rows, indent=1) + "\n", "metrics.csv": text.getvalue()}
    try:
        for name, content in contents.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise GankitError(f"cannot write to {folder}: {error.strerror}", 1) from error


def picture_path(folder: Path, step: int, metric: Choice) -> Path:
    """Where a metric's picture of one step lies."""
    return folder / "metrics" / f"{metric.name}-{step:06d}.png"
