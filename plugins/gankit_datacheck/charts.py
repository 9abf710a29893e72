"""Positions in the charts of a data set's page; templates/check_charts.html draws them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from gankit.cli.page.charts import Axis
from gankit.cli.page.render import data_uri
from gankit_datacheck.survey import Survey

WIDTH = 300  # px of a chart
HEIGHT = 225
EDGE = 34  # px for the numbers on the left and below a chart
MAX_DOTS = 1500  # different picture sizes; more would make a large page
CURVE_HEIGHT = 0.9  # of the chart, for the second largest share
AVERAGE_SIZE = (96, 96)  # px


@dataclass(frozen=True, kw_only=True)
class SizeChart:
    """Width and height of every picture, in px from the upper left corner."""

    width: int = WIDTH
    height: int = HEIGHT
    edge: int = EDGE
    ticks: list[tuple[int, float, float]]  # a power of two, its x and its y
    limit: tuple[float, float]  # the model's image size
    dots: list[tuple[float, float, float]]  # x, y and radius


@dataclass(frozen=True, kw_only=True)
class ToneChart:
    """Histograms of red, green and blue, as points of a curve for each."""

    width: int = WIDTH
    height: int = HEIGHT
    edge: int = EDGE
    curves: dict[str, list[str]]


def size_chart(survey: Survey) -> SizeChart:
    """The sizes of all readable pictures, on logarithmic scales."""
    sizes = Counter((facts.width, facts.height) for facts in survey.good).most_common(MAX_DOTS)
    sides = [survey.size.width, survey.size.height, *(side for size, _ in sizes for side in size)]
    low = math.log2(min(sides)) - 0.4
    high = math.log2(max(sides)) + 0.4

    x_axis = Axis(low, high, EDGE, WIDTH)
    y_axis = Axis(low, high, HEIGHT - EDGE, 0)

    def x(side: float) -> float:
        return x_axis.px(math.log2(side))

    def y(side: float) -> float:
        return y_axis.px(math.log2(side))

    powers = [2**power for power in range(math.ceil(low), math.floor(high - 0.2) + 1)]
    repeated = sizes[0][1] > 1
    dots = []
    for (width, height), count in sizes:
        radius = 2 + 8 * math.sqrt(count / len(survey.good)) if repeated else 2
        dots.append((x(width), y(height), round(radius, 1)))
    return SizeChart(
        ticks=[(power, x(power), y(power)) for power in powers],
        limit=(x(survey.size.width), y(survey.size.height)),
        dots=dots,
    )


def tone_chart(histogram: list[list[float]]) -> ToneChart:
    """The curves of the histograms of red, green and blue (3, BINS)."""
    shares = np.array(histogram)
    # The second largest share sets the scale: many pure black or white pixels would hide the rest.
    top = np.sort(shares, axis=1)[:, -2].max() or 1.0
    bottom = HEIGHT - EDGE
    curves = {}
    for name, row in zip(("red", "green", "blue"), shares, strict=True):
        xs = np.linspace(0, WIDTH, len(row))
        ys = bottom - bottom * CURVE_HEIGHT * np.minimum(row / top, 1 / CURVE_HEIGHT)
        curves[name] = [f"{x:.0f} {y:.1f}" for x, y in zip(xs, ys, strict=True)]
    return ToneChart(curves=curves)


def average_uri(survey: Survey) -> str:
    """The average of all pictures, enlarged, as a data: URI."""
    average = Image.fromarray(survey.average.round().astype(np.uint8))
    return jpeg_uri(np.asarray(average.resize(AVERAGE_SIZE, Image.Resampling.BICUBIC)))


def jpeg_uri(pixels: Any) -> str:
    """A picture as a data: URI."""
    return data_uri(Image.fromarray(pixels), "JPEG", quality=88)
