"""What may be said of a difference seen on a few seeds: t intervals, as a calculator gives them.

Each seed trains the baseline and the variant with the same first weights, pictures and z, so their
numbers are subtracted seed by seed and what the seed did to both drops out. The n differences have
a mean and a standard deviation s (divided by n - 1); the 95 % interval is mean +- t * s / sqrt(n).
The factor t is 4.30 for three seeds, 3.18 for four, 2.78 for five (Student 1908). Runs that share
fewer than two seeds are compared by Welch's t interval (Welch 1947).

Plain numbers in, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

LEVEL = 0.95

Verdict = tuple[str, float | None]  # as text, and p after Holm's correction


@dataclass(frozen=True)
class Difference:
    """A variant's number minus the baseline's; bounds and p are None where one seed says nothing"""

    mean: float
    low: float | None
    high: float | None
    p: float | None  # two-sided, for no difference at all
    each: tuple[float, ...]  # the differences seed by seed; empty where none are shared

    @property
    def values(self) -> tuple[float, ...]:
        """Every number that a drawing shows."""
        bounds = (value for value in (self.low, self.high) if value is not None)
        return (self.mean, *self.each, *bounds)

    @property
    def leaves_out_0(self) -> bool:
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def difference(baseline: Mapping[int, float], variant: Mapping[int, float]) -> Difference | None:
    """The difference of two variants' numbers by seed; None where one has no number at all."""
    if not baseline or not variant:
        return None
    shared = sorted(baseline.keys() & variant.keys())
    if len(shared) < 2 <= min(len(baseline), len(variant)):
        return _unpaired(list(baseline.values()), list(variant.values()))
    each = tuple(variant[seed] - baseline[seed] for seed in shared)
    if len(each) > 1:
        error = stdev(each) / math.sqrt(len(each))
        return _with_interval(fmean(each), error, len(each) - 1, each)
    mean = each[0] if each else fmean(variant.values()) - fmean(baseline.values())
    return Difference(mean, None, None, None, each)


def _unpaired(baseline: Sequence[float], variant: Sequence[float]) -> Difference:
    """Welch's interval, with as many degrees of freedom as Satterthwaite gives."""
    mean = fmean(variant) - fmean(baseline)
    squares = [stdev(values) ** 2 / len(values) for values in (baseline, variant)]
    total = sum(squares)
    if total == 0:
        return _with_interval(mean, 0.0, 1, ())
    counts = (len(baseline), len(variant))
    parts = [square**2 / (n - 1) for square, n in zip(squares, counts, strict=True)]
    return _with_interval(mean, math.sqrt(total), total**2 / sum(parts), ())


def _with_interval(
    mean: float, error: float, freedom: float, each: tuple[float, ...]
) -> Difference:
    """The difference with its t interval; `error` is the mean's standard error."""
    from scipy.special import stdtr, stdtrit

    if error == 0:  # not even the last digit differs from seed to seed
        return Difference(mean, mean, mean, float(mean == 0), each)
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(mean) / error))
    return Difference(mean, mean - reach, mean + reach, p, each)


def holm(ps: Sequence[float]) -> list[float]:
    """The p values, made larger for being many (Holm 1979), in the same order.

    With k comparisons the smallest is multiplied by k, the next by k - 1 and so on: the chance that
    any of them is claimed by mistake stays below that of a single one.
    """
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    adjusted = [0.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


def verdicts(differences: Sequence[Difference | None], better: str) -> list[Verdict]:
    """For each variant against the baseline, in one measure: its verdict.

    `better` says which way is good, "lower" or "higher".
    """
    ps = [change.p for change in differences if change is not None and change.p is not None]
    adjusted = iter(holm(ps))
    result: list[Verdict] = []
    for change in differences:
        if change is None:
            result.append(("no number", None))
        elif change.p is None:
            result.append(("no verdict from one seed", None))
        else:
            p = next(adjusted)
            result.append((_verdict(change, p, better), p))
    return result


def _verdict(change: Difference, p: float, better: str) -> str:
    if p > 1 - LEVEL:  # the interval may still leave out 0, for one of many comparisons does
        return "open" if change.leaves_out_0 else "no measurable difference"
    return "better" if (change.mean < 0) == (better == "lower") else "worse"
