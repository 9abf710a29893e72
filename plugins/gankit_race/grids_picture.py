"""race.png: the grids of all variants side by side, with labels."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gankit_race.report import Report
from gankit_race.results import explain_write_error

SIDE = 320  # px, about: of a variant's grid
GAP = 16  # px
PER_ROW = 4  # grids side by side
FONT_SIZE = 15  # px
LINE_HEIGHT = FONT_SIZE + 4

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def last_grid(folder: Path, image_size: int, side: int = SIDE) -> Image.Image | None:
    """The last grid that a run drew, cropped to its upper left part if it is larger than `side`.

    Only whole pictures remain; a grid has gaps of 2 px between them. Runs with the same seed draw
    the same z. None if there is no grid or it cannot be read.
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


def write_grids_picture(report: Report, path: Path) -> None:
    """Write the last grid of each variant's first run with its label; nothing without grids."""
    tiles = [(label, _first_grid(report, label, run.image_size)) for label, run in report.variants]
    grids = [grid for _, grid in tiles if grid is not None]
    if not grids:
        return
    width = max(12 * FONT_SIZE, *(grid.width for grid in grids))  # wide enough for a label
    height = max(grid.height for grid in grids)
    columns = min(PER_ROW, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    font = ImageFont.load_default(FONT_SIZE)
    wrapped = [_wrap(label, font, width) for label, _ in tiles]
    label_height = max(map(len, wrapped)) * LINE_HEIGHT
    tile_height = height + label_height + GAP
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * tile_height + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (_, grid) in enumerate(tiles):
        row, column = divmod(index, columns)
        x = GAP + column * (width + GAP)
        y = GAP + row * tile_height
        draw.multiline_text((x, y), "\n".join(wrapped[index]), "black", font)
        if grid is not None:
            sheet.paste(grid, (x, y + label_height))
    with explain_write_error(path):
        sheet.save(path)


def _first_grid(report: Report, label: str, image_size: int) -> Image.Image | None:
    first = next((row for row in report.rows if row.variant == label), None)
    return last_grid(report.run_folder(first), image_size) if first else None


def _wrap(label: str, font: Font, width: int) -> list[str]:
    """The label as lines of at most `width` px, broken after a space, comma, plus or colon."""
    lines = []
    line = ""
    for letter in label:
        if line and font.getlength(line + letter) > width:
            end = max(line.rfind(mark) for mark in " ,+:") + 1 or len(line)
            lines.append(line[:end].strip())
            line = line[end:]
        line += letter
    return [*lines, line.strip()]
