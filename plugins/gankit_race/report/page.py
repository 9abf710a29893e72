"""race.html: one HTML file that needs no other file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gankit.cli.page.render import data_uri, render_page
from gankit.runs.log import read_rows
from gankit_race.report.charts import LossChart, difference_chart, loss_chart, upper_loss
from gankit_race.report.format import run_cells, table_cells, table_heading
from gankit_race.report.grids_picture import last_grid
from gankit_race.report.report import Report
from gankit_race.results import write_file

SEEDS_SHOWN = 3  # grids of more seeds would make the page too large


def write_page(report: Report, path: Path) -> None:
    """Write the page from gankit_race/templates/race.html."""
    runs = run_cells(report.rows)
    comparisons: list[dict[str, Any]] = [
        {
            "heading": table_heading(table),
            "rows": table_cells(table),
            "chart": difference_chart(table),
        }
        for table in report.tables
    ]
    text = render_page(
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
    write_file(path, text)


def _grids(report: Report) -> dict[int, list[tuple[str, str]]]:
    """Seed -> labels of variants and their last grids, as data URIs."""
    grids: dict[int, list[tuple[str, str]]] = {}
    sizes = {label: run.size for label, run in report.variants}
    for seed in sorted({row.seed for row in report.rows})[:SEEDS_SHOWN]:
        rows = {row.variant: row for row in report.rows if row.seed == seed}
        for label in filter(rows.get, sizes):
            grid = last_grid(report.run_folder(rows[label]), sizes[label])
            if grid is not None:
                picture = data_uri(grid, "PNG", optimize=True)
                grids.setdefault(seed, []).append((label, picture))
    return grids


def _losses(report: Report) -> list[tuple[str, LossChart]]:
    """For each variant: the label of its first run, and that run's losses."""
    first_rows = {row.variant: row for row in reversed(report.rows)}
    folders = {label: report.run_folder(row) for label, row in first_rows.items()}
    logs = {label: read_rows(folder, missing_ok=True) for label, folder in folders.items()}
    top = upper_loss(list(logs.values()))
    return [
        (f"{label}, seed {first_rows[label].seed}", loss_chart(logs[label], top))
        for label, _ in report.variants
        if logs.get(label)
    ]
