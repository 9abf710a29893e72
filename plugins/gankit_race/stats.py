"""Is a difference between two variants more than chance? Paired t-tests over a few seeds.

With the same seed, the baseline and a variant start from the same weights and see the same pictures
and z. So their numbers are subtracted seed by seed, which removes the seed effect: what the seed
did to both. The n differences have a mean and a standard deviation s (with divisor n - 1), and the
95 % confidence interval is mean +- t * s / sqrt(n). The factor t is 4.30 for three seeds, 3.18 for
four, 2.78 for five (Student 1908). Variants that share fewer than two seeds are compared by Welch's
t-test (Welch 1947).

This file works on plain numbers and does not use torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

CONFIDENCE = 0.95

# Verdicts, as reports show them.
BASELINE = "the baseline"
BETTER = "better"
WORSE = "worse"
NO_DIFFERENCE = "no measurable difference"
UNDECIDED = "undecided"  # the interval excludes 0, but p after Holm's correction is above 0.05
ONE_SEED = "no verdict from one seed"
NO_RESULT = "no result"
NOT_JUDGED = "not judged"  # speed: seeds are not independent if the computer's load changes

Verdict = tuple[str, float | None]  # one of the texts above, and p after Holm's correction


@dataclass(frozen=True)
class Difference:
    """A variant's number minus the baseline's; low, high and p are None if there is one seed."""

    mean: float
    low: float | None  # 95 % confidence interval
    high: float | None
    p: float | None  # two-sided, of the hypothesis that there is no difference
    each: tuple[float, ...]  # one difference for each common seed; empty if there is none

    @property
    def values(self) -> tuple[float, ...]:
        """All numbers that a chart shows."""
        bounds = (value for value in (self.low, self.high) if value is not None)
        return (self.mean, *self.each, *bounds)

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def difference(baseline: Mapping[int, float], variant: Mapping[int, float]) -> Difference | None:
    """Compare two variants, given the numbers of each by seed; None if a variant has none."""
    if not baseline or not variant:
        return None
    common_seeds = sorted(baseline.keys() & variant.keys())
    if len(common_seeds) < 2 <= min(len(baseline), len(variant)):
        return _welch_test(list(baseline.values()), list(variant.values()))
    differences = tuple(variant[seed] - baseline[seed] for seed in common_seeds)
    if len(differences) > 1:
        standard_error = stdev(differences) / math.sqrt(len(differences))
        freedom = len(differences) - 1
        return _with_interval(fmean(differences), standard_error, freedom, differences)
    if differences:
        return Difference(differences[0], None, None, None, differences)
    mean = fmean(variant.values()) - fmean(baseline.values())
    return Difference(mean, None, None, None, ())


def _welch_test(baseline: Sequence[float], variant: Sequence[float]) -> Difference:
    """Welch's t-test, with degrees of freedom by Satterthwaite's formula."""
    mean = fmean(variant) - fmean(baseline)
    squares = [stdev(values) ** 2 / len(values) for values in (baseline, variant)]
    total = sum(squares)
    if total == 0:
        return _with_interval(mean, 0.0, 1, ())
    counts = (len(baseline), len(variant))
    parts = [square**2 / (n - 1) for square, n in zip(squares, counts, strict=True)]
    return _with_interval(mean, math.sqrt(total), total**2 / sum(parts), ())


def _with_interval(
    mean: float, standard_error: float, freedom: float, each: tuple[float, ...]
) -> Difference:
    """The difference with its t interval and p value; `freedom` are the degrees of freedom."""
    from scipy.special import stdtr, stdtrit

    if standard_error == 0:  # the same difference, to the last digit, for every seed
        return Difference(mean, mean, mean, float(mean == 0), each)
    half_width = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * standard_error
    p = float(2 * stdtr(freedom, -abs(mean) / standard_error))
    return Difference(mean, mean - half_width, mean + half_width, p, each)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values after Holm's correction for multiple comparisons (Holm 1979), in the same order.

    With k comparisons, the smallest is multiplied by k, the next by k - 1 and so on, and none is
    smaller than the one before it. If no variant differs, the chance of any false claim then stays
    below that of a single comparison.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        factor = len(p_values) - rank
        largest = max(largest, min(1.0, factor * p_values[index]))
        corrected[index] = largest
    return corrected


def verdicts(differences: Sequence[Difference | None], better: str) -> list[Verdict]:
    """The verdict on each variant's difference from the baseline, in one measure.

    better: "lower" or "higher".
    """
    p_values = [change.p for change in differences if change is not None and change.p is not None]
    corrected = iter(holm(p_values))
    result: list[Verdict] = []
    for change in differences:
        if change is None:
            result.append((NO_RESULT, None))
        elif change.p is None:
            result.append((ONE_SEED, None))
        else:
            p = next(corrected)
            result.append((_verdict(change, p, better), p))
    return result


def _verdict(change: Difference, p: float, better: str) -> str:
    if p > 1 - CONFIDENCE:
        return UNDECIDED if change.excludes_zero else NO_DIFFERENCE
    return BETTER if (change.mean < 0) == (better == "lower") else WORSE
