"""Notes of a report: sentences about what makes its tables less trustworthy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from gankit.core.run.settings import Run
from gankit_race.results import SPEED, Row, Table
from gankit_race.stats import NOT_JUDGED, UNDECIDED
from gankit_race.variants import PICTURES, differing_settings


def all_notes(
    variants: Sequence[tuple[str, Run]], rows: Sequence[Row], tables: Sequence[Table], seeds: int
) -> list[str]:
    """All notes of a race or a comparison."""
    sentences = []
    if seeds == 1:
        sentences.append(
            "There is only one seed, so a difference may be chance: two runs of the same variant "
            "differ too. Use --seeds 3 or more to get intervals and verdicts."
        )
    if len(tables) == 1:
        sentences.append(
            "No metric was measured, so only the speed is compared. Losses do not tell how good "
            "the pictures are: look at the grids."
        )
    sentences += notes_on_fairness(variants, rows)
    sentences += [f"{row.variant}, seed {row.seed}: {row.failed}" for row in rows if row.failed]
    return [*sentences, *notes_on_metrics(rows), *notes_on_chance(tables), *notes_on_speed(tables)]


def notes_on_fairness(variants: Sequence[tuple[str, Run]], rows: Sequence[Row]) -> list[str]:
    """What makes a comparison of these variants unfair."""
    sentences = []
    differences = set(differing_settings([run for _, run in variants]))
    if differences & set(PICTURES):
        sentences.append(
            "The variants train on different pictures, so their metrics are not comparable: "
            "compare the pictures by eye."
        )
    images: dict[str, set[int]] = {}
    for row in rows:
        images.setdefault(row.variant, set()).add(row.images)
    if len(set().union(*images.values())) > 1:
        counts = []
        for label, _ in variants:
            if label in images:
                thousands = [f"{count / 1000:,.4g}" for count in sorted(images[label])]
                counts.append(f"{label} {', '.join(thousands)}")
        sentences.append(
            "The runs did not train on the same number of pictures (in thousands): "
            f"{'; '.join(counts)}."
        )
    if differences & {"generator", "discriminator"}:
        sentences.append(
            "The variants have different networks, so they start from different weights. "
            "Everything else is paired by seed."
        )
    return sentences


def notes_on_metrics(rows: Sequence[Row]) -> list[str]:
    """The metrics' own notes, each once; a note with numbers of a few runs only is left out."""
    notes = Counter(
        (metric, note)
        for row in rows
        for metric, measured in row.measured.items()
        for note in (measured["note"] or "").split("; ")
    )
    sentences = []
    for (metric, note), count in notes.items():
        most_runs = count > max(1, len(rows) / 2)
        has_numbers = re.search(r"\d", note)
        if note and (most_runs or not has_numbers):
            runs = f"{count} of {len(rows)} runs" if count < len(rows) else "all runs"
            sentences.append(f"{metric}, {runs}: {note}.")
    return sentences


def notes_on_speed(tables: Sequence[Table]) -> list[str]:
    """Why speed gets no verdict."""
    if not any(row.verdict == NOT_JUDGED for table in tables for row in table.rows):
        return []
    return [
        f"{SPEED} is {NOT_JUDGED}: it also depends on what else the computer did during each run. "
        "To compare speeds, race on an idle computer, and trust only differences that are alike "
        "for all seeds."
    ]


def notes_on_chance(tables: Sequence[Table]) -> list[str]:
    """How to read the intervals and verdicts of these tables."""
    sentences = []
    comparisons = max((len(table.rows) - 1 for table in tables), default=0)
    if comparisons > 1:
        sentences.append(
            f"Each table has {comparisons} comparisons with the baseline. Verdicts are corrected "
            "for that number (Holm's correction); the 95 % intervals are not."
        )
    for table in tables:
        undecided = [row.variant for row in table.rows if row.verdict == UNDECIDED]
        if undecided:
            sentences.append(
                f"{table.measure}, {UNDECIDED}: {', '.join(undecided)}. Their intervals exclude "
                f"0, but if all variants were equal, at least one of {comparisons} would do so in "
                f"up to {100 * (1 - 0.95**comparisons):.0f} % of races, and several at once if the "
                "baseline had lucky seeds. Race these variants again with more seeds."
            )
    unpaired = dict.fromkeys(
        row.variant
        for table in tables
        for row in table.rows
        if row.difference and row.difference.low is not None and not row.difference.each
    )
    if unpaired:
        sentences.append(
            f"{', '.join(unpaired)}: fewer than two seeds in common with the baseline, so this is "
            "Welch's t-test and not the paired one. Common seeds find smaller differences."
        )
    return sentences
