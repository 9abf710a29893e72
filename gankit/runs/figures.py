"""Small figures from runs for lessons and notebooks: logs as columns, curves, labelled pictures."""

import itertools
import math
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from gankit.runs.log import read_log

__all__ = ["COLOURS", "plot", "read_log", "sheet", "thinned"]

COLOURS = ("#c8102e", "#0057b8", "#e08a00", "#00843d", "#6a1b9a")
GAP, LETTERS = 12, 14  # px
POINTS = 120  # of a curve: more than that are averaged


def plot(
    curves: Mapping[str, Sequence[float]], low: float, high: float, size: tuple[int, int]
) -> Image.Image:
    """Curves over their whole length, from `low` at the bottom to `high`; what is beyond is cut."""
    width, height = size
    picture = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(LETTERS - 3)
    top, bottom, left = LETTERS + 6, height - 8, 34
    for value in (low, (low + high) / 2, high):
        y = bottom - (value - low) / (high - low) * (bottom - top)
        draw.line((left, y, width - 1, y), "#dddddd")
        draw.text((left - 4, y), f"{value:.3g}", "#666666", font, anchor="rm")
    x: float = left
    for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
        draw.text((x, 0), name, colour, font)
        x += font.getlength(name) + GAP
        points = thinned(values, POINTS)
        places = [
            (
                left + (width - 1 - left) * index / max(1, len(points) - 1),
                bottom - (min(max(value, low), high) - low) / (high - low) * (bottom - top),
            )
            for index, value in enumerate(points)
        ]
        draw.line(places, colour, 2)
    return picture


def sheet(tiles: Mapping[str, Image.Image], columns: int = 0) -> Image.Image:
    """Pictures of any size in rows, each under its label; one row if no columns are given."""
    columns = min(columns or len(tiles), len(tiles))
    rows, font = math.ceil(len(tiles) / columns), ImageFont.load_default(LETTERS)
    head = max(len(label.splitlines()) for label in tiles) * (LETTERS + 4) + 4
    sizes = [(max(one.width, _widest(label, font)), one.height) for label, one in tiles.items()]
    wide = [max(width for width, _ in sizes[column::columns]) for column in range(columns)]
    tall = head + max(height for _, height in sizes)
    whole = Image.new("RGB", (sum(wide) + GAP * (columns + 1), rows * (tall + GAP) + GAP), "white")
    draw = ImageDraw.Draw(whole)
    for index, (label, picture) in enumerate(tiles.items()):
        row, column = divmod(index, columns)
        x, y = GAP + sum(wide[:column]) + GAP * column, GAP + row * (tall + GAP)
        draw.multiline_text((x, y), label, "black", font)
        whole.paste(picture.convert("RGB"), (x, y + head))
    return whole


def _widest(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return math.ceil(max((font.getlength(line) for line in label.splitlines()), default=0.0))


def thinned(values: Sequence[float], most: int) -> list[float]:
    """At most so many values; each is the mean of its stretch."""
    count = min(len(values), most)
    edges = [index * len(values) // count for index in range(count + 1)] if count else []
    return [math.fsum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
