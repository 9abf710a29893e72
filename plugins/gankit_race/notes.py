"""What a reader must know before believing a race's tables: sentences, each with its reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from gankit.core.settings import Run
from gankit_race.results import Row, Table
from gankit_race.vary import PICTURES, differing


def notes(
    variants: Sequence[tuple[str, Run]], rows: Sequence[Row], tables: Sequence[Table], seeds: int
) -> list[str]:
    """Every note of a race or a comparison."""
    sentences = []
    if seeds == 1:
        sentences.append(
            "One seed says nothing about the next: two runs of the same variant differ too. "
            "With --seeds 3 or more there are intervals and verdicts."
        )
    if len(tables) == 1:
        sentences.append(
            "No metric was measured, so only the speed is compared. Losses say nothing about "
            "pictures: look at the grids."
        )
    sentences += _about_variants(variants, rows)
    sentences += [f"{row.variant}, seed {row.seed}: {row.failed}" for row in rows if row.failed]
    return [*sentences, *_about_metrics(rows), *about_chance(tables)]


def _about_variants(variants: Sequence[tuple[str, Run]], rows: Sequence[Row]) -> list[str]:
    """Notes about what makes a comparison of these variants unfair."""
    sentences = []
    differences = set(differing([run for _, run in variants]))
    if differences & set(PICTURES):
        sentences.append(
            "The variants do not learn from the same pictures, so their numbers measure different "
            "things; compare them by eye."
        )
    images: dict[str, set[int]] = {}
    for row in rows:
        images.setdefault(row.variant, set()).add(row.images)
    if len(set().union(*images.values())) > 1:
        counts = "; ".join(
            f"{label} {', '.join(f'{count / 1000:,.4g}' for count in sorted(images[label]))}"
            for label, _ in variants
            if label in images
        )
        sentences.append(f"The runs did not see equally many pictures (in thousands): {counts}.")
    if differences & {"generator", "discriminator"}:
        sentences.append(
            "The networks differ, so their first weights do; all else is paired by seed."
        )
    return sentences


def _about_metrics(rows: Sequence[Row]) -> list[str]:
    """What the metrics warn of, once each; what is a number of one run stays in results.json."""
    warnings = Counter(
        (metric, warning)
        for row in rows
        for metric, measured in row.measured.items()
        for warning in (measured["note"] or "").split("; ")
    )
    sentences = []
    for (metric, warning), count in warnings.items():
        of_most_runs = count > max(1, len(rows) / 2)
        if warning and (of_most_runs or not re.search(r"\d", warning)):
            runs = f"{count} of {len(rows)} runs" if count < len(rows) else "every run"
            sentences.append(f"{metric}, {runs}: {warning}.")
    return sentences


def about_chance(tables: Sequence[Table]) -> list[str]:
    """What the tables' intervals and verdicts do and do not say."""
    sentences = []
    comparisons = max((len(table.rows) - 1 for table in tables), default=0)
    if comparisons > 1:
        sentences.append(
            f"With {comparisons} comparisons in each measure, verdicts are corrected for their "
            "number (Holm); the intervals are of 95 % each, for one comparison alone."
        )
    for table in tables:
        candidates = [row.variant for row in table.rows if row.verdict == "open"]
        if candidates:
            sentences.append(
                f"{table.measure}, open: {', '.join(candidates)}. These intervals leave out 0, but "
                f"about {max(1, round(0.05 * comparisons))} of {comparisons} would by chance, and "
                "several at once where the baseline was lucky. Race them again with more seeds."
            )
    unpaired = dict.fromkeys(
        row.variant
        for table in tables
        for row in table.rows
        if row.difference and row.difference.low is not None and not row.difference.each
    )
    if unpaired:
        sentences.append(
            f"{', '.join(unpaired)}: fewer than two seeds are shared with the baseline, so the "
            "runs were compared without pairing (Welch); shared seeds would tell more."
        )
    return sentences
