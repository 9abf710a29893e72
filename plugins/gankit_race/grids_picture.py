"""race.png: the grids of all variants side by side, with labels."""

from __future__ import annotations

import textwrap
from pathlib import Path

from PIL import Image

from gankit.core.errors import GankitError
from gankit.runs.figures import sheet
from gankit.runs.images import read_grid, save_picture
from gankit_race.report import Report
from gankit_race.results import explain_write_error

SIDE = 320  # px, about: of a variant's grid
PER_ROW = 4  # grids side by side
LABEL_WIDTH = 36  # characters


def last_grid(folder: Path, image_size: int, side: int = SIDE) -> Image.Image | None:
    """The last grid that a run drew, cropped to its upper left part if it is larger than `side`.

    Only whole pictures remain; a grid has gaps of 2 px between them. Runs with the same seed draw
    the same z. None if there is no grid or it cannot be read.
    """
    grids = sorted((folder / "samples").glob("*.png"))
    if not grids:
        return None
    try:
        grid = read_grid(grids[-1])
    except GankitError:
        return None
    cell = image_size + 2
    length = max(1, side // cell) * cell + 2
    return grid.crop((0, 0, min(length, grid.width), min(length, grid.height)))


def write_grids_picture(report: Report, path: Path) -> None:
    """Write the last grid of each variant's first run with its label; nothing without grids."""
    grids = {label: _first_grid(report, label, run.image_size) for label, run in report.variants}
    if not any(grids.values()):
        return
    blank = Image.new("RGB", (1, 1), "white")
    tiles = {textwrap.fill(label, LABEL_WIDTH): grid or blank for label, grid in grids.items()}
    with explain_write_error(path):
        save_picture(sheet(tiles, PER_ROW), path)


def _first_grid(report: Report, label: str, image_size: int) -> Image.Image | None:
    first = next((row for row in report.rows if row.variant == label), None)
    return last_grid(report.run_folder(first), image_size) if first else None
