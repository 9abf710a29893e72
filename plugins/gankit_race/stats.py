"""What may be said of a difference that was seen on a few seeds. Plain numbers in, no torch.

A run's number scatters for two reasons: another seed gives another GAN, and the number itself is
measured on a sample. Differences are taken seed by seed, so that what two runs of one seed share
(weights, pictures, z) drops out, and get a t interval over the seeds. By chance three seeds can lie
closer together than their measuring allows; then the interval must not get shorter than that. This
is the modified Knapp-Hartung interval of meta-analysis, a seed in the place of a study: t with
n - 1 degrees of freedom, the standard error never below that of the measuring (Roever, Knapp and
Friede 2015, BMC Medical Research Methodology 15:99). Runs that share no seeds are compared by
Welch's t interval, with the same floor.

Where many variants race, three seeds each say little about any one's scatter, but much about
everybody's. So variants lend one another theirs, as genes do on a microarray: a variance is shrunk
towards the usual one (Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3:3).
That is kept careful, and tests hold the error rates. No variance is taken to be smaller than it was
seen, neither a variant's nor that of a pair's differences. One that is too large to be a usual one
counts with its own degrees of freedom; the loan weighs no more than `LOAN`. And the error of
measuring is taken to be the same for all seeds: it does not shrink with their number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEVEL = 0.95
NORMAL = 1.959964  # standard errors on each side that make an interval of 95 %
MANY, ENOUGH = 8, 3  # variants and seeds from which on variants lend one another their scatter
LOAN = 8.0  # degrees of freedom that it weighs at most


class Point(NamedTuple):
    """One run's number and the standard error of measuring it, 0 where that is not known."""

    value: float
    error: float = 0.0


class Difference(NamedTuple):
    """A variant's number minus the baseline's; bounds and p are None where one seed says nothing"""

    mean: float
    low: float | None
    high: float | None
    p: float | None  # two-sided, for no difference at all
    each: tuple[float, ...]  # the differences seed by seed; empty where none are shared
    floored: bool = False  # the measuring's error was taken, being larger than the seeds' spread
    lent: bool = False  # the other variants' scatter was drawn on

    @property
    def values(self) -> tuple[float, ...]:
        """Every number that a drawing shows."""
        bounds = (value for value in (self.low, self.high) if value is not None)
        return (self.mean, *self.each, *bounds)

    @property
    def leaves_out_0(self) -> bool:
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def point(value: float, low: float | None = None, high: float | None = None) -> Point:
    """From a number with its 95 % interval."""
    if low is None or high is None or not math.isfinite(high - low):
        return Point(value)
    return Point(value, max(0.0, high - low) / (2 * NORMAL))


def difference(baseline: Mapping[int, Point], other: Mapping[int, Point]) -> Difference | None:
    """The difference of two variants' numbers by seed; None where one has no number at all."""
    if not baseline or not other:
        return None
    seeds = sorted(baseline.keys() & other.keys())
    if len(seeds) < 2 <= min(len(baseline), len(other)):
        return _unpaired(list(baseline.values()), list(other.values()))
    if not seeds:
        mean = _mean([p.value for p in other.values()]) - _mean(
            [p.value for p in baseline.values()]
        )
        return Difference(mean, None, None, None, ())
    each = [other[seed].value - baseline[seed].value for seed in seeds]
    mean = _mean(each)
    if len(each) == 1:
        return Difference(mean, None, None, None, tuple(each))
    spread, floor = _standard_error(each), _floor(baseline, other, seeds)
    bounds = _bounds(mean, max(spread, floor), len(each) - 1)
    return Difference(mean, *bounds, tuple(each), floored=floor > spread)


def differences(variants: Sequence[Mapping[int, Point]]) -> list[Difference | None]:
    """Each variant's difference to the first; many with the same seeds lend one another scatter."""
    baseline, *others = variants
    luck = [s for s in sorted(baseline) if sum(s in one for one in variants) >= MANY]
    whole = [number for number, one in enumerate(variants) if set(luck) <= one.keys()]
    alone = [difference(baseline, other) for other in others]
    if len(whole) < MANY or len(luck) < ENOUGH:
        return alone
    scatter = dict(zip(whole, _lent([variants[n] for n in whole], luck), strict=True))
    found = []
    for number, (one, other) in enumerate(zip(alone, others, strict=True), start=1):
        if one is not None and number in scatter:
            each = [other[s].value - baseline[s].value for s in luck]
            parts = scatter[0], scatter[number]
            spread = max(math.sqrt(sum(v for v, _ in parts)), _standard_error(each))
            floor = _floor(baseline, other, luck) * math.sqrt(len(luck))  # it may be one error
            freedom = min(_freedom(parts), max(n for _, n in parts))
            bounds = _bounds(_mean(each), max(spread, floor), freedom)
            one = Difference(_mean(each), *bounds, tuple(each), floor > spread, lent=True)
        found.append(one)
    return found


def _lent(
    variants: Sequence[Mapping[int, Point]], seeds: Sequence[int]
) -> list[tuple[float, float]]:
    """For each variant the square of its mean's standard error, and its degrees of freedom."""
    from scipy.special import fdtrc

    luck = {seed: _mean([one[seed].value for one in variants]) for seed in seeds}
    fair = 1 - 1 / len(variants)  # of the scatter is left when the seeds' luck is taken out
    seen = [_standard_error([one[s].value - luck[s] for s in seeds]) ** 2 / fair
            for one in variants]  # fmt: skip
    few = len(seeds) - 1
    usual, loan = prior(seen, few)
    found = []
    for own in seen:
        stranger = not loan or fdtrc(few, loan, own / usual) < 1 - LEVEL
        shrunk = max(own, (loan * usual + few * own) / (loan + few))
        found.append((shrunk, few if stranger else loan + few))
    return found


def _freedom(parts: Sequence[tuple[float, float]]) -> float:
    """Of a sum of variances with their degrees of freedom, after Satterthwaite."""
    total = sum(variance for variance, _ in parts)
    return total**2 / sum(v**2 / n for v, n in parts) if total else 1.0


def prior(variances: Sequence[float], freedom: int) -> tuple[float, float]:
    """The variance that is usual, and how many degrees of freedom that is worth, at most `LOAN`.

    Fitted to the mean and variance of log(variances), each seen with so many degrees of freedom.
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    most = 1e6  # then all variances are alike
    logs = [math.log(one) for one in variances if one > 0]
    if len(logs) < 2:
        return 0.0, 0.0
    noise = float(polygamma(1, freedom / 2))  # of the log of a variance, if all were alike
    extra = len(logs) * _standard_error(logs) ** 2 - noise

    def missing(loan: float) -> float:
        return float(polygamma(1, loan / 2)) - extra

    worth = most if missing(most) > 0 else float(brentq(missing, 1 / most, most))
    low, high = (digamma(f / 2) - math.log(f / 2) for f in (freedom, worth))
    return math.exp(_mean(logs) + float(high - low)), min(worth, LOAN)


def _unpaired(baseline: Sequence[Point], other: Sequence[Point]) -> Difference:
    """Welch's interval, with as many degrees of freedom as Satterthwaite gives."""
    parts, floored = [], False
    for points in (baseline, other):
        spread = _standard_error([p.value for p in points])
        floor = math.sqrt(sum(p.error**2 for p in points)) / len(points)
        floored |= floor > spread
        parts.append((max(spread, floor) ** 2, len(points) - 1))
    error = math.sqrt(sum(variance for variance, _ in parts))
    mean = _mean([p.value for p in other]) - _mean([p.value for p in baseline])
    return Difference(mean, *_bounds(mean, error, _freedom(parts)), (), floored)


def _bounds(mean: float, error: float, freedom: float) -> tuple[float, float, float]:
    """Low, high and p."""
    from scipy.special import stdtr, stdtrit

    if error == 0:  # not even the last digit differs from seed to seed
        return mean, mean, float(mean == 0)
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    return mean - reach, mean + reach, float(2 * stdtr(freedom, -abs(mean) / error))


def holm(ps: Sequence[float]) -> list[float]:
    """The p values, made larger for being many (Holm 1979), in the same order.

    With k comparisons the smallest is multiplied by k, the next by k - 1 and so on: the chance that
    any of them is claimed by mistake stays below that of a single one.
    """
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    adjusted, so_far = [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        so_far = max(so_far, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = so_far
    return adjusted


def verdicts(differences: Sequence[Difference | None], better: str) -> list[tuple[str, float]]:
    """For each variant against the baseline, in one measure: `(verdict, p after Holm)`.

    `better` says which way is good, "lower" or "higher".
    """
    ps = [d.p for d in differences if d is not None and d.p is not None]
    adjusted = iter(holm(ps))
    found = []
    for one in differences:
        if one is None:
            found.append(("no number", math.nan))
        elif one.p is None:
            found.append(("no verdict from one seed", math.nan))
        elif (p := next(adjusted)) > 1 - LEVEL:
            found.append(("no measurable difference", p))
        else:
            found.append(("better" if (one.mean < 0) == (better == "lower") else "worse", p))
    return found


def _floor(one: Mapping[int, Point], other: Mapping[int, Point], seeds: Sequence[int]) -> float:
    """The standard error of a mean difference that follows from the measuring alone."""
    return math.sqrt(sum(one[s].error ** 2 + other[s].error ** 2 for s in seeds)) / len(seeds)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _standard_error(values: Sequence[float]) -> float:
    mean = _mean(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1) / len(values))
