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
EDGE = 2  # px around a chart, for the width of lines
ARROW = 5  # px: the height of an arrowhead, and half of its width
MAX_POINTS = 120  # of a curve; longer ones are averaged


def plot(
    curves: Mapping[str, Sequence[float]], low: float, high: float, size: tuple[int, int]
) -> Image.Image:
    """Draw curves of equal width; the y axis goes from `low` to `high`.

    Where a curve leaves this range, an arrowhead at the edge shows it, and the legend says how far
    it goes.
    """
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
        means = downsample(values, MAX_POINTS)
        label = name + _describe_excess(values, means, low, high)
        draw.text((x, 0), label, colour, font)
        x += font.getlength(label) + GAP
        shares = [(mean - low) / (high - low) for mean in means]
        _draw_curve(picture, (left, top, width - 1, bottom), shares, colour)
    return picture


def _describe_excess(
    values: Sequence[float], means: Sequence[float], low: float, high: float
) -> str:
    """` (to 41)` for a curve whose means leave the range: its largest or smallest value."""
    beyond = []
    if max(means, default=high) > high:
        beyond.append(f"{max(values):.3g}")
    if min(means, default=low) < low:
        beyond.append(f"{min(values):.3g}")
    return f" (to {' and '.join(beyond)})" if beyond else ""


def _draw_curve(
    picture: Image.Image, box: tuple[int, int, int, int], shares: Sequence[float], colour: str
) -> None:
    """Draw a curve over the chart in `box` of a picture.

    `shares` are its heights: 0 at the bottom, 1 at the top; others are outside of the chart.
    """
    left, top, last, bottom = box  # px, the last column and the lowest line included
    layer = picture.copy()
    draw = ImageDraw.Draw(layer)
    columns = [left + (last - left) * i / max(1, len(shares) - 1) for i in range(len(shares))]
    points = []
    for x, share in zip(columns, shares, strict=True):
        drawn = min(max(share, -1.0), 2.0)  # still outside, but not too far to be drawn
        points.append((x, bottom - drawn * (bottom - top)))
    draw.line(points, colour, 2)
    for is_above in (True, False):
        tip = top if is_above else bottom
        base = tip + ARROW if is_above else tip - ARROW
        for index in _peaks(shares if is_above else [1 - share for share in shares]):
            x = min(max(columns[index], left + ARROW), last - ARROW)
            draw.polygon([(x, tip), (x - ARROW, base), (x + ARROW, base)], colour)
    inside = (left - EDGE, top - EDGE, last + 1, bottom + EDGE)
    picture.paste(layer.crop(inside), inside)


def _peaks(shares: Sequence[float]) -> list[int]:
    """The index of the largest share of each stretch that is above 1."""
    indices = []
    for is_outside, stretch in itertools.groupby(range(len(shares)), lambda i: shares[i] > 1):
        if is_outside:
            indices.append(max(stretch, key=lambda i: shares[i]))
    return indices


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
