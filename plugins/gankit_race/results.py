"""Results of a race: a row for each run, and a table for each measure that compares variants."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.portable_path import hide_home
from gankit.core.files.read_json import Types, find_wrong_type, read_json_object
from gankit.core.files.retried_write import describe_write_error
from gankit.core.run.all_stages import count_pictures
from gankit.core.run.settings import Run
from gankit.runs.log import read_rows
from gankit_race.stats import (
    NO_RESULT,
    NOT_JUDGED,
    Difference,
    Verdict,
    difference,
    verdicts,
)

SPEED = "images/s"
LOSS_ROWS = 10  # a run's loss is its mean over the last rows of the log: one step is too noisy
# Fields of a Measurement that are kept; `seconds` is left out, because it differs between machines.
KEPT = ("value", "low", "high", "floor", "samples", "reference", "against", "better", "features",
        "note")  # fmt: skip

RESULTS = "a file of a race's results"
NUMBER = int | float | None
ROW_TYPES: dict[str, Types] = {
    "variant": str, "seed": int, "folder": str, "failed": str, "steps": int, "images": int,
    "d_loss": NUMBER, "g_loss": NUMBER, "measured": dict, "seconds": NUMBER,
}  # fmt: skip
KEPT_TYPES: dict[str, Types] = {
    "value": int | float, "low": NUMBER, "high": NUMBER, "floor": NUMBER, "samples": int | None,
    "reference": int | None, "against": str | None, "better": str | None, "features": str | None,
    "note": str | None,
}  # fmt: skip


@dataclass(kw_only=True)
class Row:
    """One finished run."""

    variant: str  # label
    seed: int
    folder: str  # of the run, relative to the race's folder
    failed: str = ""  # why training failed; "" if it did not
    steps: int = 0
    images: int = 0  # real pictures shown to D
    d_loss: float | None = None
    g_loss: float | None = None
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)  # metric -> KEPT fields
    seconds: float | None = None  # of training

    def value(self, measure: str) -> float | None:
        """The run's number in a measure: a metric or SPEED; None if it has none."""
        if self.failed:
            return None
        if measure == SPEED:
            return self.images / self.seconds if self.seconds else None
        value = self.measured.get(measure, {}).get("value", math.nan)
        return float(value) if math.isfinite(value) else None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One variant in one measure."""

    variant: str
    mean: float | None
    seeds: int
    difference: Difference | None = None  # from the baseline; None for the baseline itself
    verdict: str = ""
    p: float | None = None  # after Holm's correction


@dataclass(frozen=True, kw_only=True)
class Table:
    """All variants in one measure, the baseline first."""

    measure: str  # a metric or SPEED
    better: str  # "lower" or "higher"
    about: str  # features, samples, floor
    rows: list[Compared]


def row_of_run(
    variant: str, run: Run, folder: str, failed: str = "", last_step: int | None = None
) -> Row:
    """Read a run's row from its log, up to `last_step`; None: the whole log."""
    log = read_rows(run.folder, missing_ok=True)
    if last_step is not None:
        log = [line for line in log if int(line["step"]) <= last_step]
    if last_step is None:
        last_step = int(log[-1]["step"]) if log else run.steps
    seconds = log[-1].get("seconds") if log else None  # empty in a row that was cut
    return Row(
        variant=variant,
        seed=run.seed,
        folder=folder,
        failed=failed,
        steps=last_step,
        images=count_pictures(run, last_step),
        d_loss=_last_loss(log, "d_loss"),
        g_loss=_last_loss(log, "g_loss"),
        seconds=float(seconds) if seconds else None,
    )


def _last_loss(log: Sequence[Mapping[str, str]], name: str) -> float | None:
    losses = [float(line[name]) for line in log[-LOSS_ROWS:] if line.get(name)]
    return fmean(losses) if losses else None


def measurement_as_dict(measurement: Any) -> dict[str, Any]:
    """The KEPT fields of one of the Measurements that `gankit.evaluate` returns."""
    return {name: getattr(measurement, name, None) for name in KEPT}


def metric_names(rows: Sequence[Row]) -> list[str]:
    """All metrics that were measured, in the order in which they first occur."""
    return list(dict.fromkeys(name for row in rows for name in row.measured))


def make_tables(variants: Sequence[str], rows: Sequence[Row]) -> list[Table]:
    """A table for each metric, in the order in which they were measured, then one for the speed.

    The first of the variants is the baseline.
    """
    return [_make_table(name, variants, rows) for name in (*metric_names(rows), SPEED)]


def _make_table(measure: str, variants: Sequence[str], rows: Sequence[Row]) -> Table:
    measured = next((row.measured[measure] for row in rows if measure in row.measured), {})
    better = measured.get("better") or ("higher" if measure == SPEED else "lower")
    numbers: dict[str, dict[int, float]] = {variant: {} for variant in variants}
    for row in rows:
        value = row.value(measure)
        if value is not None:
            numbers[row.variant][row.seed] = value
    baseline, *others = variants
    differences = [difference(numbers[baseline], numbers[variant]) for variant in others]
    compared = [_compared(baseline, numbers[baseline], None, ("", None))]
    judged = verdicts(differences, better)
    if measure == SPEED:
        differences = [_without_interval(change) for change in differences]
        judged = [(NOT_JUDGED if change else NO_RESULT, None) for change in differences]
    for variant, change, verdict in zip(others, differences, judged, strict=True):
        compared.append(_compared(variant, numbers[variant], change, verdict))
    return Table(measure=measure, better=better, about=_about(measured), rows=compared)


def _without_interval(change: Difference | None) -> Difference | None:
    """A difference in speed. Its interval would hold only if the computer's load never changed."""
    return change and dataclasses.replace(change, low=None, high=None, p=None)


def _compared(
    variant: str, numbers: Mapping[int, float], change: Difference | None, verdict: Verdict
) -> Compared:
    text, p = verdict
    return Compared(
        variant=variant,
        mean=fmean(numbers.values()) if numbers else None,
        seeds=len(numbers),
        difference=change,
        verdict=text,
        p=p,
    )


def _about(measured: Mapping[str, Any]) -> str:
    """`imagenet-lite 57934424, 1000 samples, floor 0.2`, or as much of it as is known."""
    parts = []
    if measured.get("features"):
        parts.append(measured["features"])
    if measured.get("samples"):
        parts.append(f"{measured['samples']} samples")
    floor = measured.get("floor")
    if isinstance(floor, int | float):
        parts.append(f"floor {floor:.3g}")
    return ", ".join(parts)


def write_results(
    folder: Path, rows: Sequence[Row], tables: Sequence[Table] = (), notes: Sequence[str] = ()
) -> None:
    """Write results.json and results.csv."""
    record = {
        "runs": [dataclasses.asdict(row) for row in rows],
        "tables": [dataclasses.asdict(table) for table in tables],
        "notes": list(notes),
    }
    write_file(folder / "results.json", json.dumps(record, indent=1) + "\n")
    write_file(folder / "results.csv", _to_csv(rows))


def _to_csv(rows: Sequence[Row]) -> str:
    fields = ("variant", "seed", "failed", "steps", "images", "seconds", "d_loss", "g_loss")
    metrics = metric_names(rows)
    metric_columns = []
    for name in metrics:
        metric_columns += [name, f"{name}_low", f"{name}_high"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*fields, "images_per_second", *metric_columns])
    for row in rows:
        speed = row.value(SPEED)
        cells = [getattr(row, name) for name in fields]
        cells.append(None if speed is None else round(speed, 2))
        for name in metrics:
            measured = row.measured.get(name, {})
            cells += [measured.get("value"), measured.get("low"), measured.get("high")]
        writer.writerow(cells)
    return text.getvalue()


def read_results(folder: Path) -> list[Row]:
    """The rows of the runs that a race has finished; none if it has no results.json."""
    path = folder / "results.json"
    if not os.path.lexists(path):
        return []
    rows = read_json_object(path, RESULTS, {"runs": list}).get("runs", [])
    return [_read_row(row, path) for row in rows]


def _read_row(record: Any, path: Path) -> Row:
    """A row as it was written, if all of its entries have their types; else GankitError."""
    wrong = find_wrong_type(record, ROW_TYPES)
    unknown = "" if wrong else next(iter(record.keys() ^ ROW_TYPES.keys()), "")
    if unknown:
        wrong = f"{quote_value(unknown)} is missing, or is not an entry of a run"
    if not wrong:
        parts = record["measured"].values()
        wrong = next(filter(None, (find_wrong_type(kept, KEPT_TYPES) for kept in parts)), "")
    if not wrong and (Path(record["folder"]).is_absolute() or ".." in record["folder"]):
        wrong = f"the folder {quote_value(record['folder'])} of a run is not in the race"
    if wrong:
        raise GankitError(f"{path} is not {RESULTS}: {wrong}")
    return Row(**record)


def write_file(path: Path, text: str) -> None:
    """Write a file atomically, without the name of your home; GankitError if the disk refuses."""
    with explain_write_error(path):
        write_atomically(path, hide_home(text))


@contextlib.contextmanager
def explain_write_error(path: Path) -> Iterator[None]:
    """Turn an OSError into a GankitError that names the file; exit code 1, as work was done."""
    try:
        yield
    except OSError as error:
        raise GankitError(f"cannot write {path}: {describe_write_error(error)}", 1) from error
