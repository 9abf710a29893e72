"""Intervals, Holm's correction and verdicts, against scipy and textbooks."""

from types import SimpleNamespace

import numpy as np
import pytest
from gankit_race.report.notes import notes_on_chance
from gankit_race.stats import (
    BETTER,
    NO_DIFFERENCE,
    NO_RESULT,
    ONE_SEED,
    UNDECIDED,
    WORSE,
    Difference,
    difference,
    holm,
    verdicts,
)
from scipy import stats


def numbers(values, first=0):
    """By seed."""
    return {seed: float(value) for seed, value in enumerate(values, start=first)}


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_common_seeds_give_scipys_paired_t_test(seeds):
    random = np.random.default_rng(seeds)
    a, b = random.normal(size=(2, seeds))
    change = difference(numbers(a), numbers(b))
    oracle = stats.ttest_rel(b, a)
    assert change.p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert (change.low, change.high) == pytest.approx(oracle.confidence_interval(0.95), rel=1e-9)
    assert change.mean == pytest.approx((b - a).mean())
    assert change.each == pytest.approx(tuple(b - a))


@pytest.mark.parametrize(
    ("seeds", "factor"), [(2, 12.71), (3, 4.303), (4, 3.182), (5, 2.776), (10, 2.262)]
)
def test_the_factor_t_is_that_of_textbook_tables(seeds, factor):
    values = np.random.default_rng(0).normal(size=seeds)
    change = difference(numbers(np.zeros(seeds)), numbers(values))
    error = values.std(ddof=1) / seeds**0.5
    assert (change.high - change.mean) / error == pytest.approx(factor, rel=5e-4)


def test_three_seeds_by_hand():
    """25, -3 and 17: s = sqrt(416 / 2); t = mean / (s / sqrt(3)); p = 1 - t / sqrt(t t + 2)."""
    change = difference(numbers([153, 154, 149]), numbers([178, 151, 166]))
    assert change.each == (25, -3, 17)
    assert change.mean == 13
    assert (change.low, change.high) == pytest.approx((-22.8, 48.8), abs=0.05)
    t = 13 / ((416 / 2) ** 0.5 / 3**0.5)
    assert change.p == pytest.approx(1 - t / (t**2 + 2) ** 0.5)


def test_runs_without_common_seeds_give_scipys_welch_test():
    random = np.random.default_rng(1)
    a, b = random.normal(size=4), random.normal(2, 3, size=6)
    change = difference(numbers(a), numbers(b, first=10))
    oracle = stats.ttest_ind(b, a, equal_var=False)
    assert change.p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert (change.low, change.high) == pytest.approx(oracle.confidence_interval(0.95), rel=1e-9)
    assert change.each == ()


def test_only_common_seeds_are_paired():
    change = difference({0: 1.0, 1: 2.0, 2: 9.0}, {1: 2.5, 0: 1.7})
    assert change.each == pytest.approx((0.7, 0.5))


def test_other_variants_do_not_change_an_interval():
    """The interval of a pair depends on that pair; only the verdict knows how many there are."""
    sure = difference(numbers([0, 0.1, 0.2]), numbers([5, 5.1, 5.4]))
    maybe = difference(numbers([0, 0.1, 0.2]), numbers([1, 1.4, 2]))
    (_, single), *_ = verdicts([maybe], "lower")
    _, (_, among_two) = verdicts([sure, maybe], "lower")
    assert (single, among_two) == (pytest.approx(maybe.p), pytest.approx(maybe.p))
    (_, smallest), _ = verdicts([sure, maybe], "lower")
    assert smallest == pytest.approx(2 * sure.p)


def test_holm_on_the_example_of_a_textbook():
    """Four p values worked by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then never less than before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_difference_that_only_fails_the_correction_is_undecided():
    likely = difference(numbers([0, 0, 0]), numbers([3, 4, 5]))
    equal = difference(numbers([0, 0, 0]), numbers([-1, 0, 1]))
    assert likely.excludes_zero
    assert [verdict for verdict, _ in verdicts([likely], "lower")] == [WORSE]
    corrected = [verdict for verdict, _ in verdicts([likely, equal, equal], "lower")]
    assert corrected == [UNDECIDED, NO_DIFFERENCE, NO_DIFFERENCE]


@pytest.mark.parametrize(("others", "percent"), [(4, 19), (22, 68)])
def test_the_note_on_chance_says_how_often_an_interval_excludes_zero(others, percent):
    compared = SimpleNamespace(variant="ema", verdict=UNDECIDED, difference=None)
    table = SimpleNamespace(measure="kid", rows=[compared] * (1 + others))
    note = notes_on_chance([table])[1]
    assert f"at least one of {others} would do so in up to {percent} % of races" in note


@pytest.mark.parametrize(("better", "verdict"), [("lower", WORSE), ("higher", BETTER)])
def test_which_way_is_good(better, verdict):
    change = difference(numbers([1.0, 2.1, 2.9]), numbers([5, 6, 7]))
    assert verdicts([change], better)[0][0] == verdict


# ---------------------------------------------------------------- edges


def test_one_seed_gives_no_interval_and_no_verdict():
    change = difference({0: 1.0}, {0: 5.0})
    assert change == Difference(4.0, None, None, None, (4.0,))
    assert verdicts([change], "lower") == [(ONE_SEED, None)]
    assert difference({0: 1.0}, {1: 5.0}) == Difference(4.0, None, None, None, ())


def test_no_numbers_give_no_result():
    assert difference({}, {0: 1.0}) is None
    assert difference({0: 1.0}, {}) is None
    assert verdicts([None, difference({0: 1.0}, {0: 1.0})], "lower")[0] == (NO_RESULT, None)


def test_numbers_equal_to_the_last_digit():
    same = difference(numbers([1, 2, 3]), numbers([1, 2, 3]))
    assert (same.mean, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert verdicts([same], "lower")[0][0] == NO_DIFFERENCE
    shifted = difference(numbers([1, 2, 3]), numbers([2, 3, 4]))
    assert verdicts([shifted], "lower")[0][0] == WORSE
    unpaired = difference(numbers([1, 1]), numbers([2, 2], first=5))
    assert (unpaired.mean, unpaired.low, unpaired.high, unpaired.p) == (1, 1, 1, 0)


def test_comparisons_without_a_p_value_do_not_count_in_holms_correction():
    sure = difference(numbers([0, 0.1, 0.2]), numbers([5, 5.1, 5.4]))
    lone = difference({0: 1.0}, {0: 2.0})
    assert verdicts([lone, None, sure], "lower")[2] == (WORSE, pytest.approx(sure.p))
