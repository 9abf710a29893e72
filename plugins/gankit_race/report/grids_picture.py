"""race.png: the grids of all variants side by side, with labels."""

from __future__ import annotations

import textwrap
from pathlib import Path

from PIL import Image

from gankit.core.errors import GankitError
from gankit.core.run.image_size import ImageSize
from gankit.runs.figures import sheet
from gankit.runs.grids import list_grids
from gankit.runs.images import save_picture
from gankit.runs.provenance import Provenance
from gankit.runs.read_grid import read_grid
from gankit_race.report.report import Report
from gankit_race.results import Row, explain_write_error

GAP = 2  # px between the pictures of a grid
SIDE = 320  # px, about: of a variant's grid
PER_ROW = 4  # grids side by side
LABEL_WIDTH = 36  # characters


def last_grid(folder: Path, size: ImageSize, side: int = SIDE) -> Image.Image | None:
    """The last grid that a run drew, cropped to its upper left part if it is larger than `side`.

    Only whole pictures remain; a grid has gaps between them. Runs with the same seed draw
    the same z. None if there is no grid or it cannot be read.
    """
    grids = list_grids(folder)
    if not grids:
        return None
    try:
        grid = read_grid(grids[-1][1])
    except GankitError:
        return None
    width, height = (
        max(1, side // (length + GAP)) * (length + GAP) + GAP
        for length in (size.width, size.height)
    )
    return grid.crop((0, 0, min(width, grid.width), min(height, grid.height)))


def write_grids_picture(report: Report, path: Path) -> None:
    """Write the last grid of each variant's first run with its label; nothing without grids."""
    rows = _first_rows(report)
    grids = {
        label: last_grid(report.run_folder(rows[label]), run.size) if label in rows else None
        for label, run in report.variants
    }
    if not any(grids.values()):
        return
    blank = Image.new("RGB", (1, 1), "white")
    tiles = {textwrap.fill(label, LABEL_WIDTH): grid or blank for label, grid in grids.items()}
    steps = {row.steps for row in rows.values()}
    step = max(steps) if len(steps) == 1 else None  # variants may have trained for different times
    seed = next(iter(rows.values())).seed
    with explain_write_error(path):
        save_picture(sheet(tiles, PER_ROW), path, Provenance(report.command, "", seed, step))


def _first_rows(report: Report) -> dict[str, Row]:
    """Each variant's first run: label -> row."""
    return {row.variant: row for row in reversed(report.rows)}
