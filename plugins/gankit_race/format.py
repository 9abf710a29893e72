"""Numbers and tables as text, the same in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gankit_race.results import Row, Table


def number(value: float | None, sign: str = "") -> str:
    """Three digits, without an exponent where that is readable; `sign="+"` for a difference."""
    if value is None or not math.isfinite(value):
        return "-"
    if value and not 1e-4 <= abs(value) < 1e5:
        return f"{value:{sign}.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 2
    return f"{value:{sign}.{digits}f}"


def interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{number(low, '+')} to {number(high, '+')}"


def heading(table: Table) -> str:
    """`kid, lower is better (real against real 0.2, 1000 samples)`."""
    about = f" ({table.about})" if table.about else ""
    return f"{table.measure}, {table.better} is better{about}"


def as_rows(table: Table) -> list[tuple[str, str, str, str, str]]:
    """Variant, mean, difference, its interval, verdict."""
    baseline, *others = table.rows
    rows = [(baseline.variant, number(baseline.mean), "", "", "the baseline")]
    for compared in others:
        difference = compared.difference
        seeds = f" ({compared.seeds})" if compared.seeds != baseline.seeds else ""
        rows.append(
            (
                compared.variant,
                number(compared.mean) + seeds,
                number(difference.mean, "+") if difference else "",
                interval(difference.low, difference.high) if difference else "",
                compared.verdict,
            )
        )
    return rows


def as_numbers(rows: Sequence[Row]) -> list[dict[str, str]]:
    """For each run: variant, seed, thousands of pictures, speed, losses, metrics."""
    lines = []
    for row in rows:
        metrics = {name: number(measured["value"]) for name, measured in row.measured.items()}
        lines.append(
            {
                "variant": row.variant,
                "seed": str(row.seed),
                "kimg": f"{row.images / 1000:,.4g}",
                "seconds": number(row.seconds),
                "d_loss": number(row.d_loss),
                "g_loss": number(row.g_loss),
                **metrics,
            }
        )
    return lines
