"""The drawings on a data set's page, as inline SVG and pictures inside the page."""

from __future__ import annotations

import base64
import io
import math
from collections import Counter
from typing import Any

import numpy as np
from PIL import Image

from gankit_datacheck.survey import Survey

WIDTH, HEIGHT, EDGE = 300, 225, 34  # of a drawing; EDGE for the numbers beside it
DOTS = 1500  # different sizes drawn: more would make a heavy page
FILLED = 0.9  # of the height that the second largest share takes


def data_uri(pixels: Any) -> str:
    """A picture as part of the page."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def figure(drawing: str, caption: str) -> str:
    return f'<figure class="card">{drawing}<figcaption>{caption}</figcaption></figure>'


def _svg(inside: str, what: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{what}">{inside}</svg>'


def sizes(survey: Survey) -> str:
    """Width and height of every picture, on scales that double; the model's size as a border."""
    kinds = Counter((one.width, one.height) for one in survey.good).most_common(DOTS)
    every = [survey.image_size, *(side for kind, _ in kinds for side in kind)]
    low, high = math.log2(min(every)) - 0.4, math.log2(max(every)) + 0.4

    def x(value: float) -> float:
        return round(EDGE + (math.log2(value) - low) / (high - low) * (WIDTH - EDGE), 1)

    def y(value: float) -> float:
        share = (math.log2(value) - low) / (high - low)
        return round((HEIGHT - EDGE) * (1 - share), 1)

    parts = []
    for tick in (2**power for power in range(math.ceil(low), math.floor(high - 0.2) + 1)):
        parts.append(
            f'<path class="axis" d="M{x(tick)} 0V{HEIGHT - EDGE}M{EDGE} {y(tick)}H{WIDTH}"/>'
            f'<text x="{x(tick)}" y="{HEIGHT - EDGE + 14}" text-anchor="middle">{tick}</text>'
            f'<text x="{EDGE - 5}" y="{y(tick) + 4}" text-anchor="end">{tick}</text>'
        )
    least, most = 2**low, 2**high
    parts.append(f'<path class="square" d="M{x(least)} {y(least)}L{x(most)} {y(most)}"/>')
    wanted = survey.image_size
    parts.append(f'<path class="limit" d="M{x(wanted)} {y(most)}V{y(wanted)}H{WIDTH}"/>')
    most_common = kinds[0][1]
    for (width, height), number in kinds:
        radius = round(2 + 8 * math.sqrt(number / len(survey.good)) * (most_common > 1), 1)
        parts.append(f'<circle class="dots" cx="{x(width)}" cy="{y(height)}" r="{radius}"/>')
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">width in px</text>')
    return figure(
        _svg("".join(parts), "width and height of the pictures"),
        f"Sizes: width and height in px. Dotted: square; dashed: {wanted} px, what the model draws",
    )


def tones(report: dict[str, Any]) -> str:
    """How many of all pixels are how light, for red, green and blue."""
    rows = np.array(report["colour"]["histogram"])
    top = np.sort(rows, axis=1)[:, -2].max() or 1.0  # pure black or white may tower over all
    bottom = HEIGHT - EDGE
    parts = []
    for name, row in zip(("red", "green", "blue"), rows, strict=True):
        places = np.linspace(0, WIDTH, len(row))
        heights = bottom - bottom * FILLED * np.minimum(row / top, 1 / FILLED)
        line = "".join(f"L{x:.0f} {y:.1f}" for x, y in zip(places, heights, strict=True))
        parts.append(f'<path class="{name}" d="M0 {bottom}{line}L{WIDTH} {bottom}z"/>')
    parts.append(f'<text x="0" y="{HEIGHT - EDGE + 14}">dark</text>')
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT - EDGE + 14}" text-anchor="end">light</text>')
    drawing = _svg(f'<g class="hues">{"".join(parts)}</g>', "how light the pixels are")
    return figure(drawing, "Colours: how many pixels are how light in red, green and blue")


def average(survey: Survey) -> str:
    """The mean of all pictures, enlarged."""
    pixels = Image.fromarray(survey.average.round().astype(np.uint8))
    image = np.asarray(pixels.resize((96, 96), Image.Resampling.BICUBIC))
    words = "All pictures averaged: where it is flat, they have nothing in common"
    return figure(f'<img class="average" src="{data_uri(image)}" alt="">', words)
