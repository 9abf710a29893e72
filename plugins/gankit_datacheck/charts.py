"""The drawings on a data set's page: where each dot goes; templates/check_charts.html draws."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from gankit.cli.page import data_uri
from gankit_datacheck.survey import Survey

WIDTH = 300  # px of a drawing
HEIGHT = 225
EDGE = 34  # px for the numbers at a drawing's left and below it
DOTS = 1500  # different sizes drawn: more would make a heavy page
FILLED = 0.9  # of the height that the second largest share takes
AVERAGE = (96, 96)  # px


@dataclass(frozen=True, kw_only=True)
class SizeChart:
    """Width and height of every picture, in px from the upper left corner."""

    width: int = WIDTH
    height: int = HEIGHT
    edge: int = EDGE
    ticks: list[tuple[int, float, float]]  # a power of two, its x and its y
    limit: tuple[float, float]  # where the model's size is
    dots: list[tuple[float, float, float]]  # x, y and radius


@dataclass(frozen=True, kw_only=True)
class ToneChart:
    """How many pixels are how light, as points of a curve for each colour."""

    width: int = WIDTH
    height: int = HEIGHT
    edge: int = EDGE
    curves: dict[str, list[str]]


def size_chart(survey: Survey) -> SizeChart:
    """The sizes of all pictures that can be read, on scales that double."""
    sizes = Counter((facts.width, facts.height) for facts in survey.good).most_common(DOTS)
    sides = [survey.image_size, *(side for size, _ in sizes for side in size)]
    low = math.log2(min(sides)) - 0.4
    high = math.log2(max(sides)) + 0.4

    def share(side: float) -> float:
        return (math.log2(side) - low) / (high - low)

    def x(side: float) -> float:
        return round(EDGE + share(side) * (WIDTH - EDGE), 1)

    def y(side: float) -> float:
        return round((HEIGHT - EDGE) * (1 - share(side)), 1)

    powers = [2**power for power in range(math.ceil(low), math.floor(high - 0.2) + 1)]
    repeated = sizes[0][1] > 1
    dots = []
    for (width, height), count in sizes:
        radius = 2 + 8 * math.sqrt(count / len(survey.good)) if repeated else 2
        dots.append((x(width), y(height), round(radius, 1)))
    return SizeChart(
        ticks=[(power, x(power), y(power)) for power in powers],
        limit=(x(survey.image_size), y(survey.image_size)),
        dots=dots,
    )


def tone_chart(histogram: list[list[float]]) -> ToneChart:
    """The shares of dark to light pixels, for red, green and blue."""
    shares = np.array(histogram)
    # Pure black or white may tower over all others, so the second largest sets the scale.
    top = np.sort(shares, axis=1)[:, -2].max() or 1.0
    bottom = HEIGHT - EDGE
    curves = {}
    for name, row in zip(("red", "green", "blue"), shares, strict=True):
        xs = np.linspace(0, WIDTH, len(row))
        ys = bottom - bottom * FILLED * np.minimum(row / top, 1 / FILLED)
        curves[name] = [f"{x:.0f} {y:.1f}" for x, y in zip(xs, ys, strict=True)]
    return ToneChart(curves=curves)


def average_uri(survey: Survey) -> str:
    """The mean of all pictures, enlarged."""
    average = Image.fromarray(survey.average.round().astype(np.uint8))
    return jpeg_uri(np.asarray(average.resize(AVERAGE, Image.Resampling.BICUBIC)))


def jpeg_uri(pixels: Any) -> str:
    """A picture as part of the page."""
    return data_uri(Image.fromarray(pixels), "JPEG", quality=88)
