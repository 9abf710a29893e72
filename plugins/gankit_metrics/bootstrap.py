"""From a metric and two sets to a number, its interval, its floor, and words of warning."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from gankit.core import randomness
from gankit.core.metric import Metric
from gankit_metrics.measured import Measured
from gankit_metrics.sets import Sets

SHARE = 0.95  # of the interval


def measure(metric: Metric, text: str, sets: Sets) -> tuple[Measured, Any]:
    """The metric's number for generated pictures, and its state for those who want to draw it."""
    started = time.perf_counter()
    state = _compared(metric, text, sets, "generated", "training")
    sizes = sets.samples, len(sets.rows["reference"])
    value = score(metric, state, *map(np.arange, sizes))
    low, high = interval(metric, text, state, value, sizes)
    if text not in sets.floors:
        sets.floors[text] = floor(metric, text, sets)
    lowest = sets.floors[text]
    found = Measured(
        text, value, low, high, lowest, *sizes, metric.better, metric.feature_set,
        against=sets.against, seconds=time.perf_counter() - started,
        note=warning(metric, sets, (low, high), lowest, metric.describe(state)),
    )  # fmt: skip
    return found, state


def floor(metric: Metric, text: str, sets: Sets) -> float:
    """The number for real pictures in G's place."""
    fresh = "few fresh" if metric.reads_training else "fresh"
    state = _compared(metric, text, sets, fresh, "others")
    return score(metric, state, *(np.arange(len(sets.rows[name])) for name in (fresh, "reference")))


def _compared(metric: Metric, text: str, sets: Sets, judged: str, training: str) -> Any:
    names = (judged, "reference", training) if metric.reads_training else (judged, "reference")
    compare: Any = metric.compare
    return compare(*(sets.features(metric, text, name) for name in names))


def score(metric: Metric, state: Any, *rows: Any) -> float:
    value = float(metric.score(state, *rows))
    if not math.isfinite(value):
        raise ValueError(f"score gives {value}")
    return value


def interval(
    metric: Metric, text: str, state: Any, value: float, sizes: tuple[int, int]
) -> tuple[float, float]:
    """Between which numbers other pictures from the same two sources would lie, 95 times of 100.

    A bootstrap (Efron 1979): both sets are drawn anew from themselves, with replacement. Sets
    drawn so are less varied than those they are drawn from, which shifts some metrics, all draws
    alike; so the draws are moved until their mean is the number, and only their spread is kept.
    """
    random = np.random.default_rng(randomness.derive_seed(0, 0, f"bootstrap of {text}"))
    drawn = [
        score(metric, state, *(random.integers(0, size, size) for size in sizes))
        for _ in range(metric.draws)
    ]
    low, high = np.quantile(drawn, ((1 - SHARE) / 2, (1 + SHARE) / 2)) - np.mean(drawn) + value
    least, most = metric.bounds
    return float(np.clip(low, least, most)), float(np.clip(high, least, most))


def warning(
    metric: Metric, sets: Sets, between: tuple[float, float], floor: float, words: str
) -> str:
    """What a person must know before trusting the number."""
    said = [words] if words else []
    sizes = sets.samples, len(sets.rows["reference"])
    if min(sizes) < metric.enough:
        counts = f"{sizes[0]:,} and {sizes[1]:,}"
        said.append(f"NOT TO BE TRUSTED: {counts} pictures, wanted are {metric.enough:,} of each")
    if sets.against != "hold-out":
        said.append("no hold-out: compared with pictures that G may have learnt from")
    low, high = between
    if low <= floor if metric.better == "lower" else high >= floor:
        said.append(metric.at_the_floor)
    return "; ".join(said)
