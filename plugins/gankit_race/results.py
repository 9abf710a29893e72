"""What came of a race: a row for each run, and the comparisons drawn from them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError
from gankit.core.settings import Run
from gankit.runs.log import read_rows
from gankit_race.stats import Difference, Verdict, difference, verdicts

SPEED = "images/s"
LAST = 10  # a loss is its mean over this many last rows of the log: one step says little
# Of what was measured; the seconds it took differ from start to start.
KEPT = ("value", "low", "high", "floor", "samples", "reference", "against", "better", "features",
        "note")  # fmt: skip


@dataclass(kw_only=True)
class Row:
    """One run that is over."""

    variant: str
    seed: int
    folder: str  # of the run, inside the race's folder or as it was given
    failed: str = ""  # why training stopped; "": it did not
    steps: int = 0
    images: int = 0  # shown to D
    d_loss: float | None = None
    g_loss: float | None = None
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float | None = None  # of training

    def value(self, measure: str) -> float | None:
        """The run's number in that measure; None where it has none."""
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
    difference: Difference | None = None  # to the baseline; None for the baseline
    verdict: str = ""
    p: float | None = None  # after Holm


@dataclass(frozen=True, kw_only=True)
class Table:
    """All variants in one measure, the baseline first."""

    measure: str
    better: str
    about: str  # features, samples, floor
    rows: list[Compared]


def row_of(variant: str, run: Run, folder: str, failed: str = "", upto: int | None = None) -> Row:
    """The row of a run from its log, as far as the step `upto`; None: as far as it goes."""
    rows = read_rows(run.folder, missing_ok=True)
    log = [row for row in rows if upto is None or int(row["step"]) <= upto]
    steps = upto or (int(log[-1]["step"]) if log else run.steps)
    row = Row(variant=variant, seed=run.seed, folder=folder, failed=failed, steps=steps)
    row.images = steps * run.batch_size * run.d_steps
    for name in ("d_loss", "g_loss"):
        losses = [float(line[name]) for line in log[-LAST:] if line.get(name)]
        setattr(row, name, fmean(losses) if losses else None)
    row.seconds = float(log[-1]["seconds"]) if log else None
    return row


def measured_as_dict(measured: Any) -> dict[str, Any]:
    """What `gankit.evaluate` says of one metric, without what differs from machine to machine."""
    return {name: getattr(measured, name, None) for name in KEPT}


def tables(variants: Sequence[str], rows: Sequence[Row]) -> list[Table]:
    """A table for each measure: the metrics in the order they were asked for, then the speed."""
    names = list(dict.fromkeys(name for row in rows for name in row.measured))
    return [_table(name, variants, rows) for name in (*names, SPEED)]


def _table(measure: str, variants: Sequence[str], rows: Sequence[Row]) -> Table:
    numbers: dict[str, dict[int, float]] = {variant: {} for variant in variants}
    about = next((row.measured[measure] for row in rows if measure in row.measured), {})
    better = about.get("better") or ("higher" if measure == SPEED else "lower")
    for row in rows:
        value = row.value(measure)
        if value is not None:
            numbers[row.variant][row.seed] = value
    baseline, *others = variants
    differences = [difference(numbers[baseline], numbers[variant]) for variant in others]
    compared = [_compared(baseline, numbers[baseline], None, ("", None))]
    for variant, change, verdict in zip(
        others, differences, verdicts(differences, better), strict=True
    ):
        compared.append(_compared(variant, numbers[variant], change, verdict))
    return Table(measure=measure, better=better, about=_about(about), rows=compared)


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


def _about(measured: dict[str, Any]) -> str:
    parts = [measured.get("features"), measured.get("samples") and f"{measured['samples']} samples"]
    floor = measured.get("floor")
    if isinstance(floor, int | float):
        parts.append(f"real against real {floor:.3g}")
    return ", ".join(str(part) for part in parts if part)


def write_results(
    folder: Path, rows: Sequence[Row], tables: Sequence[Table] = (), notes: Sequence[str] = ()
) -> None:
    """results.json, whole or as it was before, and results.csv."""
    record = {
        "runs": [dataclasses.asdict(row) for row in rows],
        "tables": [dataclasses.asdict(table) for table in tables],
        "notes": list(notes),
    }
    write_whole(folder / "results.json", json.dumps(record, indent=1) + "\n")
    write_whole(folder / "results.csv", _csv(rows))


def _csv(rows: Sequence[Row]) -> str:
    metrics = list(dict.fromkeys(name for row in rows for name in row.measured))
    plain = ("variant", "seed", "failed", "steps", "images", "seconds", "d_loss", "g_loss")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    bounds = ("value", "low", "high")
    columns = [name + end for name in metrics for end in ("", "_low", "_high")]
    writer.writerow([*plain, "images_per_second", *columns])
    for row in rows:
        speed = row.value(SPEED)
        speed = None if speed is None else round(speed, 2)
        numbers = [row.measured.get(name, {}).get(key) for name in metrics for key in bounds]
        writer.writerow([*(getattr(row, name) for name in plain), speed, *numbers])
    return text.getvalue()


def read_results(folder: Path) -> list[Row]:
    """The rows of a race that was begun, as far as it came."""
    path = folder / "results.json"
    try:
        return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))["runs"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GankitError(f"{path} cannot be read: {error}") from error


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error.strerror}") from error
