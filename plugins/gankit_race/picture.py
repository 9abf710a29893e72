"""The grids of all variants side by side, as one picture with labels."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gankit.core.errors import GankitError
from gankit_race.report import Report

SIDE = 320  # px: of a variant's grid, about
GAP = 16  # px
PER_ROW = 4  # grids side by side
LETTERS = 15  # px

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def last_grid(folder: Path, image_size: int, side: int = SIDE) -> Image.Image | None:
    """The last grid that a run drew, its upper left part if it is larger than `side`.

    A run's grid has a gap of 2 px between the pictures; every run of one seed draws the same z.
    """
    grids = sorted((folder / "samples").glob("*.png"))
    if not grids:
        return None
    try:
        grid = Image.open(grids[-1]).convert("RGB")
    except OSError:
        return None
    cell = image_size + 2
    length = max(1, side // cell) * cell + 2
    return grid.crop((0, 0, min(length, grid.width), min(length, grid.height)))


def write_picture(report: Report, path: Path) -> None:
    """The grids of the first seed that every variant has, labelled."""
    tiles = [(label, _grid(report, label, run.image_size)) for label, run in report.variants]
    grids = [grid for _, grid in tiles if grid is not None]
    if not grids:
        return
    width = max(12 * LETTERS, *(grid.width for grid in grids))  # room for a label
    height = max(grid.height for grid in grids)
    columns = min(PER_ROW, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    font = ImageFont.load_default(LETTERS)
    lines = max(len(_folded(label, font, width)) for label, _ in tiles)
    tall = height + lines * (LETTERS + 4) + GAP
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * tall + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (label, grid) in enumerate(tiles):
        row, column = divmod(index, columns)
        x = GAP + column * (width + GAP)
        y = GAP + row * tall
        draw.multiline_text((x, y), "\n".join(_folded(label, font, width)), "black", font)
        if grid is not None:
            sheet.paste(grid, (x, y + lines * (LETTERS + 4)))
    try:
        sheet.save(path)
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error.strerror}") from error


def _grid(report: Report, label: str, image_size: int) -> Image.Image | None:
    first = next((row for row in report.rows if row.variant == label), None)
    return last_grid(report.run_folder(first), image_size) if first else None


def _folded(label: str, font: Font, width: int) -> list[str]:
    """The label in lines that are no wider than its grid."""
    lines = []
    line = ""
    for letter in label:
        if line and font.getlength(line + letter) > width:
            at = max(line.rfind(mark) for mark in " ,+:") + 1 or len(line)
            lines.append(line[:at].strip())
            line = line[at:]
        line += letter
    return [*lines, line.strip()]
