"""Numbers and tables as text, the same in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gankit_race.results import Row, Table
from gankit_race.stats import BASELINE


def format_number(value: float | None, sign: str = "") -> str:
    """Three significant digits; `sign="+"` shows the sign; `-` for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return "-"
    if value and not 1e-4 <= abs(value) < 1e5:
        return f"{value:{sign}.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 2
    return f"{value:{sign}.{digits}f}"


def format_interval(low: float | None, high: float | None) -> str:
    """`-0.500 to +1.25`."""
    if low is None or high is None:
        return "-"
    return f"{format_number(low, '+')} to {format_number(high, '+')}"


def table_heading(table: Table) -> str:
    """`kid, lower is better (1000 samples, floor 0.2)`."""
    about = f" ({table.about})" if table.about else ""
    return f"{table.measure}, {table.better} is better{about}"


def table_cells(table: Table) -> list[tuple[str, str, str, str, str]]:
    """For each variant: its label, mean, difference, interval of the difference, verdict."""
    baseline, *others = table.rows
    rows = [(baseline.variant, format_number(baseline.mean), "", "", BASELINE)]
    for compared in others:
        difference = compared.difference
        mean = format_number(compared.mean)
        if compared.seeds != baseline.seeds:
            mean += f" ({compared.seeds})"
        rows.append(
            (
                compared.variant,
                mean,
                format_number(difference.mean, "+") if difference else "",
                format_interval(difference.low, difference.high) if difference else "",
                compared.verdict,
            )
        )
    return rows


def run_cells(rows: Sequence[Row]) -> list[dict[str, str]]:
    """For each run, column -> text: variant, seed, kimg, seconds, losses and metrics."""
    lines = []
    for row in rows:
        cells = {
            "variant": row.variant,
            "seed": str(row.seed),
            "kimg": f"{row.images / 1000:,.4g}",
            "seconds": format_number(row.seconds),
            "d_loss": format_number(row.d_loss),
            "g_loss": format_number(row.g_loss),
        }
        for name, measured in row.measured.items():
            cells[name] = format_number(measured["value"])
        lines.append(cells)
    return lines
