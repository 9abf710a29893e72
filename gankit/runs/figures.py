"""Figures for lessons and notebooks: curves of a run's log, and labelled pictures."""

import itertools
import math
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from gankit.core.errors import GankitError, quote_value
from gankit.runs.log import read_log

__all__ = ["COLOURS", "downsample", "plot", "read_log", "sheet"]

COLOURS = ("#c8102e", "#0057b8", "#e08a00", "#00843d", "#6a1b9a")
GAP = 12  # px
FONT_SIZE = 14  # px
MAX_POINTS = 120  # of a curve; longer ones are averaged


def plot(
    curves: Mapping[str, Sequence[float]], low: float, high: float, size: tuple[int, int]
) -> Image.Image:
    """Draw curves of equal width; the y axis goes from `low` to `high`, which clip the values."""
    _require_names("curves", curves, "{'d_loss': numbers}")
    width, height = size
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(FONT_SIZE - 3)
    top = FONT_SIZE + 6
    bottom = height - 8
    left = 34
    for value in (low, (low + high) / 2, high):
        y = bottom - (value - low) / (high - low) * (bottom - top)
        draw.line((left, y, width - 1, y), "#dddddd")
        draw.text((left - 4, y), f"{value:.3g}", "#666666", font, anchor="rm")
    x: float = left
    for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
        draw.text((x, 0), name, colour, font)
        x += font.getlength(name) + GAP
        means = downsample(values, MAX_POINTS)
        points = []
        for index, value in enumerate(means):
            clipped = min(max(value, low), high)
            point_x = left + (width - 1 - left) * index / max(1, len(means) - 1)
            point_y = bottom - (clipped - low) / (high - low) * (bottom - top)
            points.append((point_x, point_y))
        draw.line(points, colour, 2)
    return picture


def sheet(tiles: Mapping[str, Image.Image], columns: int = 0) -> Image.Image:
    """Arrange pictures of any size in rows, each below its label; in one row if `columns` is 0."""
    _require_names("tiles", tiles, "{'label': picture}")
    if not tiles:
        raise GankitError("tiles is empty: give one or more pictures")
    columns = min(columns or len(tiles), len(tiles))
    rows = math.ceil(len(tiles) / columns)
    font = ImageFont.load_default(FONT_SIZE)
    label_height = max(len(label.splitlines()) for label in tiles) * (FONT_SIZE + 4) + 4
    widths = [max(tile.width, _text_width(label, font)) for label, tile in tiles.items()]
    column_widths = [max(widths[column::columns]) for column in range(columns)]
    row_height = label_height + max(tile.height for tile in tiles.values())
    size = (sum(column_widths) + GAP * (columns + 1), rows * (row_height + GAP) + GAP)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for index, (label, tile) in enumerate(tiles.items()):
        row, column = divmod(index, columns)
        x = GAP + sum(column_widths[:column]) + GAP * column
        y = GAP + row * (row_height + GAP)
        draw.multiline_text((x, y), label, "black", font)
        picture.paste(tile.convert("RGB"), (x, y + label_height))
    return picture


def _require_names(what: str, given: object, example: str) -> None:
    if not isinstance(given, Mapping):
        raise GankitError(f"{what} is {quote_value(given)}: give a dict, such as {example}")


def _text_width(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return math.ceil(max((font.getlength(line) for line in label.splitlines()), default=0.0))


def downsample(values: Sequence[float], max_count: int) -> list[float]:
    """Average consecutive values, so that at most `max_count` are left."""
    count = min(len(values), max_count)
    if not count:
        return []
    edges = [index * len(values) // count for index in range(count + 1)]
    return [math.fsum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
