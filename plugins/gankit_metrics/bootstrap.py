"""A metric's number with its bootstrap interval, its floor, and notes on how far to trust it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from gankit.core import randomness
from gankit.core.contracts.metric import Metric, finite_score
from gankit_metrics.measurement import HOLLOW, Measurement
from gankit_metrics.picture_sets import HOLDOUT, PictureSets

CONFIDENCE = 0.95


def measure(metric: Metric, text: str, sets: PictureSets) -> tuple[Measurement, Any]:
    """Measure the generated pictures; `text` is the metric as you wrote it.

    Returns the metric's state (what `compare` gave) too, so that the metric can draw its picture.
    """
    started = time.perf_counter()
    state = _compare(metric, text, sets, "generated", "training")
    num_generated = sets.samples
    num_reference = len(sets.rows["reference"])
    value = finite_score(metric, state, np.arange(num_generated), np.arange(num_reference))
    low, high = bootstrap_interval(metric, text, state, value, (num_generated, num_reference))
    if text not in sets.floors:
        sets.floors[text] = compute_floor(metric, text, sets)
    measurement = Measurement(
        metric=text,
        value=value,
        low=low,
        high=high,
        floor=sets.floors[text],
        samples=num_generated,
        reference=num_reference,
        better=metric.better,
        features=metric.feature_set,
        note=make_note(metric, sets, (low, high), sets.floors[text], metric.describe(state)),
        seconds=time.perf_counter() - started,
        against=sets.against,
    )
    return measurement, state


def compute_floor(metric: Metric, text: str, sets: PictureSets) -> float:
    """The metric's number for real pictures in place of generated ones."""
    fresh = "fresh half" if metric.reads_training else "fresh"
    state = _compare(metric, text, sets, fresh, "other half")
    num_fresh = len(sets.rows[fresh])
    num_reference = len(sets.rows["reference"])
    return finite_score(metric, state, np.arange(num_fresh), np.arange(num_reference))


def _compare(metric: Metric, text: str, sets: PictureSets, generated: str, training: str) -> Any:
    """The metric's state for the sets of these names; `training` only if the metric reads it."""
    names = [generated, "reference"]
    if metric.reads_training:
        names.append(training)
    compare: Any = metric.compare
    return compare(*(sets.features(metric, text, name) for name in names))


def bootstrap_interval(
    metric: Metric, text: str, state: Any, value: float, sizes: tuple[int, int]
) -> tuple[float, float]:
    """The 95 % interval of `value` over other samples from the same two distributions.

    A bootstrap (Efron 1979): both sets are resampled with replacement, `metric.draws` times. A
    resampled set varies less than its source, which biases some metrics, every draw alike. So the
    draws are shifted until their mean is `value`, and only their spread counts, without what the
    metric knows to be too much of it.

    sizes: numbers of generated and of reference pictures.
    """
    num_generated, num_reference = sizes
    random = np.random.default_rng(randomness.number(0, 0, f"bootstrap of {text}"))
    scores = []
    for _ in range(metric.draws):
        generated = random.integers(0, num_generated, num_generated)
        reference = random.integers(0, num_reference, num_reference)
        scores.append(finite_score(metric, state, generated, reference))
    quantiles = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    # This method leaves out as much as it says, also of 40 draws; the default one leaves out more.
    spread = np.quantile(scores, quantiles, method="weibull") - np.mean(scores)
    excess = metric.excess_variance(state)
    if excess > 0:
        variance = float(np.var(scores))
        spread *= math.sqrt(min(1.0, max(variance - excess, excess / 2) / variance))
    low, high = value + spread
    lower_bound, upper_bound = metric.bounds
    return (
        float(np.clip(low, lower_bound, upper_bound)),
        float(np.clip(high, lower_bound, upper_bound)),
    )


def make_note(
    metric: Metric,
    sets: PictureSets,
    interval: tuple[float, float],
    floor: float,
    description: str,
) -> str:
    """What to know before you trust the number; `description` is the metric's own part of it."""
    sentences = [description] if description else []
    num_generated = sets.samples
    num_reference = len(sets.rows["reference"])
    if min(num_generated, num_reference) < metric.enough:
        sentences.append(
            f"NOT TO BE TRUSTED: {num_generated:,} generated and {num_reference:,} real pictures, "
            f"but at least {metric.enough:,} of each are needed"
        )
    if sets.against != HOLDOUT:
        sentences.append("compared with training pictures, because too few are held out")
    if sets.unlikeness:
        sentences.append(f"{sets.unlikeness}, {HOLLOW}")
    else:
        sentences += _compare_with_floor(metric, interval, floor)
    return "; ".join(sentences)


def _compare_with_floor(
    metric: Metric, interval: tuple[float, float], floor: float
) -> Iterator[str]:
    """What it means if the interval reaches the floor, or lies beyond it."""
    low, high = interval
    is_lower_better = metric.better == "lower"
    reaches_floor = low <= floor if is_lower_better else high >= floor
    is_beyond = high < floor if is_lower_better else low > floor
    if is_beyond:
        yield metric.beyond_the_floor
    elif reaches_floor:
        yield metric.at_the_floor
