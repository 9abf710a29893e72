"""The drawings on a race's page, as inline SVG and pictures inside the page."""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections.abc import Sequence
from html import escape

from PIL import Image

from gankit_race.results import Table
from gankit_race.words import number

WIDTH = 440  # of a drawing of differences
LINE = 50  # px: a variant's name and line in it
EDGE = 8  # px on both sides
CURVE, TALL = 300, 130  # of a drawing of losses
POINTS = 150  # of a curve


def data_uri(picture: Image.Image) -> str:
    """A picture as part of the page."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def differences(table: Table) -> str:
    """Each variant's difference to the baseline: a line for the interval, a dot for each seed."""
    shown = [one for one in table.rows[1:] if one.difference]
    values = [v for one in shown for v in (one.difference.mean, *one.difference.each)]
    values += [v for one in shown for v in one.difference[1:3] if v is not None]
    if not values:
        return ""
    low, high = min(*values, 0.0), max(*values, 0.0)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(EDGE + (value - low) / span * (WIDTH - 2 * EDGE), 1)

    height = LINE * len(shown) + 22
    parts = [
        f'<path class="zero" d="M{x(0)} 0V{height - 20}"/>'
        f'<text x="{x(0)}" y="{height - 5}" text-anchor="middle">0</text>'
    ]
    for end, anchor in ((low, "start"), (high, "end")):
        if abs(x(end) - x(0)) > 60:
            place = f'x="{x(end)}" y="{height - 5}" text-anchor="{anchor}"'
            parts.append(f"<text {place}>{number(end, '+')}</text>")
    for place, one in enumerate(shown):
        y, there = place * LINE + 30, one.difference
        tone = one.verdict if one.verdict in ("better", "worse") else "same"
        parts.append(f'<text class="name" x="0" y="{y - 14}">{escape(one.variant)}</text>')
        if there.low is not None:
            parts.append(f'<path class="{tone}" d="M{x(there.low)} {y}H{x(there.high)}"/>')
        parts += [f'<circle class="seed" cx="{x(v)}" cy="{y + 9}" r="3"/>' for v in there.each]
        parts.append(f'<circle class="{tone}" cx="{x(there.mean)}" cy="{y}" r="5"/>')
    what = f"differences to {table.rows[0].variant} in {table.measure}"
    return (
        f'<svg class="wide" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(what)}">{"".join(parts)}</svg>'
    )


def curves(log: Sequence[dict[str, str]], top: float) -> str:
    """d_loss and g_loss over a run, up to `top`."""
    parts = [f'<path class="axis" d="M0 {TALL}H{CURVE}M0 {TALL / 2:g}H{CURVE}M0 1H{CURVE}"/>']
    kimg = log[-1]["kimg"] if log else "0"
    for name in ("d_loss", "g_loss"):
        values = thinned([float(row[name]) for row in log if row.get(name)], POINTS)
        steps = max(1, len(values) - 1)
        line = "L".join(
            f"{index / steps * CURVE:.1f} {TALL - max(0.0, min(1.0, value / top)) * TALL:.1f}"
            for index, value in enumerate(values)
        )
        parts.append(f'<path class="{name}" d="M{line}"/>' if line else "")
    parts.append(f'<text x="2" y="12">{number(top)}</text>')
    parts.append(
        f'<text x="{CURVE}" y="{TALL + 14}" text-anchor="end">{float(kimg):,.4g} kimg</text>'
    )
    box = f"0 0 {CURVE} {TALL + 18}"
    return f'<svg viewBox="{box}" role="img" aria-label="losses">{"".join(parts)}</svg>'


def thinned(values: Sequence[float], most: int) -> list[float]:
    """At most so many values; each stands for the mean of its stretch."""
    count = min(len(values), most)
    edges = [index * len(values) // count for index in range(count + 1)] if count else []
    return [math.fsum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]


def top_of(logs: Sequence[Sequence[dict[str, str]]]) -> float:
    """A height that nearly all losses stay under, the same for every run on the page."""
    names = ("d_loss", "g_loss")
    every = sorted(float(row[name]) for log in logs for row in log for name in names if row[name])
    return max(every[int(0.98 * (len(every) - 1))], 1e-6) if every else 1.0
