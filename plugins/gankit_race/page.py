"""The page of a race: one HTML file with everything in it, readable anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gankit.cli.page import data_uri, render
from gankit.runs.log import read_rows
from gankit_race.charts import LossChart, difference_chart, highest_loss, loss_chart
from gankit_race.format import as_numbers, as_rows, heading
from gankit_race.picture import last_grid
from gankit_race.report import Report
from gankit_race.results import write_whole

SEEDS_SHOWN = 3  # with grids: more would make a heavy page


def write_page(report: Report, path: Path) -> None:
    """Write the page; templates/race.html says what it looks like."""
    runs = as_numbers(report.rows)
    comparisons: list[dict[str, Any]] = [
        {"heading": heading(table), "rows": as_rows(table), "chart": difference_chart(table)}
        for table in report.tables
    ]
    text = render(
        "gankit_race",
        "race.html",
        title=report.title,
        command=report.command,
        comparisons=comparisons,
        notes=report.notes,
        grids=_grids(report),
        losses=_losses(report),
        runs=runs,
        columns=list(dict.fromkeys(column for run in runs for column in run)),
    )
    write_whole(path, text)


def _grids(report: Report) -> dict[int, list[tuple[str, str]]]:
    """For each seed the variants' labels and last grids."""
    grids: dict[int, list[tuple[str, str]]] = {}
    image_sizes = {label: run.image_size for label, run in report.variants}
    for seed in sorted({row.seed for row in report.rows})[:SEEDS_SHOWN]:
        rows = {row.variant: row for row in report.rows if row.seed == seed}
        for label in filter(rows.get, image_sizes):
            grid = last_grid(report.run_folder(rows[label]), image_sizes[label])
            if grid is not None:
                picture = data_uri(grid, "PNG", optimize=True)
                grids.setdefault(seed, []).append((label, picture))
    return grids


def _losses(report: Report) -> list[tuple[str, LossChart]]:
    """The losses of each variant's first seed."""
    first_rows = {row.variant: row for row in reversed(report.rows)}
    folders = {label: report.run_folder(row) for label, row in first_rows.items()}
    logs = {label: read_rows(folder, missing_ok=True) for label, folder in folders.items()}
    top = highest_loss(list(logs.values()))
    return [
        (f"{label}, seed {first_rows[label].seed}", loss_chart(logs[label], top))
        for label, _ in report.variants
        if logs.get(label)
    ]
