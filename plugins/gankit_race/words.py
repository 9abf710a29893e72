"""Numbers and findings in words, the same in the terminal and on the page."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gankit.core.settings import Run
from gankit_race.results import Row, Table

# Settings that decide which pictures a run learns from.
PICTURES = ("dataset", "data", "classes", "fit", "background", "subset", "holdout", "data_seed",
            "image_size", "channels", "fingerprint")  # fmt: skip
# Settings that make no other variant of a run.
FREE = {"out", "seed", "length", "steps", "log_every", "draw_every", "save_every", "keep",
        "metrics", "measure_every", "tensorboard"}  # fmt: skip


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
    return f"{table.measure}, {table.better} is better" + (
        f" ({table.about})" if table.about else ""
    )


def as_rows(table: Table) -> list[tuple[str, str, str, str, str]]:
    """Variant, mean, difference, its interval, verdict."""
    rows = []
    for one in table.rows:
        there = one.difference
        many = f" ({one.seeds})" if one.seeds != table.rows[0].seeds else ""
        rows.append(
            (
                one.variant,
                number(one.mean) + many,
                number(there.mean, "+") if there else "",
                interval(there.low, there.high) if there else "",
                one.verdict if one is not table.rows[0] else "the baseline",
            )
        )
    return rows


def differing(runs: Sequence[Run]) -> list[str]:
    """The settings in which runs differ, those aside that make no other variant."""
    names = [name for name in vars(runs[0]) if name not in FREE]
    return [name for name in names if len({getattr(run, name) for run in runs}) > 1]


def notes(
    variants: Sequence[tuple[str, Run]], rows: Sequence[Row], found: Sequence[Table], seeds: int
) -> list[str]:
    """What a reader must know before believing the tables: sentences."""
    said = []
    if seeds == 1:
        said.append(
            "One seed says nothing about the next: two runs of the same variant differ too. "
            "With --seeds 3 or more there are intervals and verdicts."
        )
    if len(found) == 1:
        said.append(
            "No metric was measured, so only the speed is compared. Losses say nothing about "
            "pictures: look at the grids."
        )
    said += _about_variants(variants, rows)
    said += [f"{row.variant}, seed {row.seed}: {row.failed}" for row in rows if row.failed]
    said += _about_metrics(rows)
    said += _about_chance(found)
    return said


def _about_variants(variants: Sequence[tuple[str, Run]], rows: Sequence[Row]) -> list[str]:
    said = []
    runs = [run for _, run in variants]
    if set(differing(runs)) & set(PICTURES):
        said.append(
            "The variants do not learn from the same pictures, so their numbers measure different "
            "things; compare them by eye."
        )
    images = {label: {row.images for row in rows if row.variant == label} for label, _ in variants}
    if len(set().union(*images.values())) > 1:
        shown = "; ".join(
            f"{label} {', '.join(f'{n / 1000:,.4g}' for n in sorted(some))}"
            for label, some in images.items()
            if some
        )
        said.append(f"The runs did not see equally many pictures (in thousands): {shown}.")
    if {"generator", "discriminator"} & set(differing(runs)):
        said.append("The networks differ, so their first weights do; all else is paired by seed.")
    return said


def _about_metrics(rows: Sequence[Row]) -> list[str]:
    """What the metrics warn of, once each; what is a number of one run stays in results.json."""
    said = Counter(
        (name, part)
        for row in rows
        for name, one in row.measured.items()
        for part in (one["note"] or "").split("; ")
    )
    return [
        f"{name}, {f'{many} of {len(rows)} runs' if many < len(rows) else 'every run'}: {part}."
        for (name, part), many in said.items()
        if part and (many > max(1, len(rows) / 2) or not re.search(r"\d", part))
    ]


def _about_chance(found: Sequence[Table]) -> list[str]:
    said = []
    many = max((len(table.rows) - 1 for table in found), default=0)
    if many > 1:
        said.append(
            f"With {many} comparisons in each measure, verdicts are corrected for their number "
            "(Holm); the intervals are of 95 % each, for one comparison alone."
        )
    for table in found:
        lucky = [row.variant for row in table.rows[1:] if row.difference
                 and row.difference.leaves_out_0 and row.verdict.startswith("no ")]  # fmt: skip
        if lucky:
            said.append(
                f"{table.measure}: intervals that leave out 0, without a verdict: "
                f"{', '.join(lucky)}. By chance that happens to about "
                f"{max(1, round(0.05 * many))} of {many}, and to several at once where the "
                "baseline that they share was lucky."
            )
    compared = [row for table in found for row in table.rows
                if row.difference and row.difference.p is not None]  # fmt: skip
    if any(row.difference.lent for row in compared):
        alone = dict.fromkeys(row.variant for row in compared if not row.difference.lent)
        said.append(
            "Many variants with few seeds: each interval also draws on the scatter of the others"
            + (f"; not that of {', '.join(alone)}, which lacks a seed." if alone else ".")
        )
    unpaired = [r.variant for r in found[0].rows if r.difference and r.difference.low is not None
                and not r.difference.each]  # fmt: skip
    if unpaired:
        said.append(
            f"{', '.join(unpaired)}: fewer than two seeds are shared with the baseline, so the "
            "runs were compared without pairing (Welch); shared seeds would tell more."
        )
    if any(row.difference and row.difference.floored for table in found for row in table.rows):
        said.append(
            "Where the seeds lie closer together than the measuring is exact, the interval is "
            "that of the measuring."
        )
    return said


def as_numbers(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One line for each run: variant, seed, thousands of pictures, speed, losses, metrics."""
    lines = []
    for row in rows:
        line = {"variant": row.variant, "seed": str(row.seed)}
        line |= {"kimg": f"{row.images / 1000:,.4g}", "seconds": number(row.seconds)}
        line |= {"d_loss": number(row.d_loss), "g_loss": number(row.g_loss)}
        line |= {name: number(one["value"]) for name, one in row.measured.items()}
        lines.append(line)
    return lines
