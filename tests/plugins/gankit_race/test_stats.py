"""What a race may claim: intervals, corrections and verdicts, on data whose truth is known."""

import math

import numpy as np
import pytest
from gankit_race.stats import LOAN, Point, difference, differences, holm, point, prior, verdicts
from scipy import stats

RACES = 3000  # simulated; 3 standard errors of a share of 5 % are 1.2 %


def points(values, error=0.0):
    return {seed: Point(float(value), error) for seed, value in enumerate(values)}


def claims(draw, better="lower"):
    """The verdicts of simulated races; `draw(random)` gives the numbers of the variants."""
    random = np.random.default_rng(3)
    found = []
    for _ in range(RACES):
        baseline, *others = draw(random)
        found.append([v for v, _ in verdicts([difference(baseline, o) for o in others], better)])
    return found


def false_claims(found):
    return np.mean([any(v in ("better", "worse") for v in race) for race in found])


# ---------------------------------------------------------------- against an oracle


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_paired_seeds_are_the_t_test_of_the_textbooks(seeds):
    random = np.random.default_rng(seeds)
    a, b = random.normal(size=(2, seeds))
    found = difference(points(a), points(b))
    oracle = stats.ttest_rel(b, a)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx(oracle.confidence_interval(0.95), rel=1e-9)
    assert found.mean == pytest.approx((b - a).mean())
    assert found.each == pytest.approx(tuple(b - a))


def test_runs_without_common_seeds_are_welchs_test():
    random = np.random.default_rng(1)
    a, b = random.normal(size=4), random.normal(2, 3, size=6)
    found = difference(points(a), {seed + 10: p for seed, p in points(b).items()})
    oracle = stats.ttest_ind(b, a, equal_var=False)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx(oracle.confidence_interval(0.95), rel=1e-9)
    assert found.each == ()


def test_only_common_seeds_are_paired():
    baseline = {0: Point(1.0), 1: Point(2.0), 2: Point(9.0)}
    found = difference(baseline, {1: Point(2.5), 0: Point(1.7)})
    assert found.each == pytest.approx((0.7, 0.5))


def test_holm_on_the_example_of_a_textbook():
    """Four p values worked by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then never less than before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


# ---------------------------------------------------------------- error rates


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_equal_variants_are_told_apart_in_5_of_100_races(seeds):
    """Seeds scatter more than the measuring: exactly the t test's error rate."""
    found = claims(lambda r: [points(r.normal(size=seeds)) for _ in range(2)])
    assert false_claims(found) == pytest.approx(0.05, abs=0.012)


def test_pairing_takes_out_what_a_seed_does_to_both():
    def draw(random):
        luck = random.normal(0, 10, size=5)  # of the seed, the same for both
        return [points(luck + random.normal(size=5)), points(luck + 4 + random.normal(size=5))]

    found = claims(draw)
    assert np.mean([race == ["worse"] for race in found]) > 0.95


def test_seeds_that_happen_to_agree_make_no_claim():
    """Three seeds, all of the scatter is measuring: the floor keeps lucky agreement quiet."""
    noise = 0.5
    found = claims(lambda r: [points(r.normal(0, noise, 3), noise) for _ in range(2)])
    assert false_claims(found) < 0.02
    bare = claims(lambda r: [points(r.normal(0, noise, 3)) for _ in range(2)])
    assert false_claims(bare) > 0.035  # what the t interval alone would have claimed


def test_an_error_common_to_all_three_seeds_makes_no_claim_either():
    """The same real pictures every time: their luck moves all differences of a race together."""

    def draw(random):
        luck = random.normal(0, 0.1, size=2)
        return [points(luck[i] + random.normal(0, 1e-3, 3), 0.1) for i in range(2)]

    assert false_claims(claims(draw)) < 0.05


@pytest.mark.parametrize("variants", [3, 6])
def test_many_equal_variants_yield_a_false_claim_in_5_of_100_races(variants):
    """All share one baseline, so the comparisons hang together; Holm holds all the same."""
    found = claims(lambda r: [points(r.normal(size=5)) for _ in range(variants)])
    assert 0.015 < false_claims(found) < 0.062


def test_a_true_winner_among_equals_is_found_and_alone():
    def draw(random):
        return [points(random.normal(mean, 1, size=6)) for mean in (0, 0, -6, 0)]

    found = claims(draw)
    assert np.mean([race[1] == "better" for race in found]) > 0.95
    assert np.mean([race[0] == race[2] == "no measurable difference" for race in found]) > 0.94


@pytest.mark.parametrize(("better", "word"), [("lower", "worse"), ("higher", "better")])
def test_which_way_is_good(better, word):
    large, small = points([5, 6, 7]), points([1.0, 2.1, 2.9])
    assert verdicts([difference(small, large)], better)[0][0] == word


# ---------------------------------------------------------------- many variants, few seeds

EQUAL = {
    "alike": lambda r, k: r.normal(size=(k, 3)),
    "the seeds' luck": lambda r, k: r.normal(size=(k, 3)) + r.normal(0, 5, 3),
    "some scatter more": lambda r, k: r.normal(size=(k, 3)) * np.exp(r.normal(0, 1, (k, 1))),
    "one is wild": lambda r, k: r.normal(size=(k, 3)) * np.r_[np.ones(k - 1), 6][:, None],
    "the baseline is": lambda r, k: r.normal(size=(k, 3)) * np.r_[3, np.ones(k - 1)][:, None],
    "so is it": lambda r, k: r.normal(size=(k, 3)) * np.r_[10, np.ones(k - 1)][:, None],
}


def claims_of_many(draw, races=1000):
    random = np.random.default_rng(5)
    return [
        [v for v, _ in verdicts(differences([points(row) for row in draw(random)]), "lower")]
        for _ in range(races)
    ]


@pytest.mark.parametrize("many", [8, 23])
@pytest.mark.parametrize("kind", EQUAL)
def test_variants_that_lend_one_another_scatter_claim_no_more_than_they_may(kind, many):
    """3 standard errors of a share of 5 % of 1,000 races are 2 %."""
    assert false_claims(claims_of_many(lambda r: EQUAL[kind](r, many))) < 0.07


@pytest.mark.parametrize("many", [8, 23])
def test_an_error_common_to_all_seeds_makes_no_claim_among_many(many):
    """As above with two variants; three seeds do not average away what they share."""
    random, found = np.random.default_rng(2), []
    for _ in range(1000):
        luck = random.normal(0, 0.1, size=many)
        rows = [points(one + random.normal(0, 1e-3, 3), 0.1) for one in luck]
        found.append([v for v, _ in verdicts(differences(rows), "lower")])
    assert false_claims(found) < 0.05


@pytest.mark.parametrize("kind", ["alike", "the baseline is", "so is it"])
def test_intervals_among_many_cover_the_truth(kind):
    random, covered = np.random.default_rng(4), []
    for _ in range(500):
        found = differences([points(row) for row in EQUAL[kind](random, 8)])
        covered += [not one.leaves_out_0 for one in found]
    assert np.mean(covered) > 0.9


def test_many_variants_tell_with_three_seeds_what_one_alone_cannot():
    def draw(random):
        return random.normal(size=(23, 3)) + np.r_[np.zeros(22), 6][:, None]

    found = claims_of_many(draw, races=300)
    assert np.mean([race[-1] == "worse" for race in found]) > 0.85
    random, alone = np.random.default_rng(5), []
    for _ in range(300):
        baseline, *others = (points(row) for row in draw(random))
        alone.append(verdicts([difference(baseline, one) for one in others], "lower")[-1][0])
    assert np.mean([verdict == "worse" for verdict in alone]) < 0.4


@pytest.mark.parametrize(("usual", "worth"), [(2.0, 4.0), (0.5, 7.0)])
def test_the_usual_variance_and_its_worth_are_found(usual, worth):
    """From variances drawn as the method supposes them: scaled inverse chi squared, then chi."""
    random = np.random.default_rng(0)
    true = worth * usual / random.chisquare(worth, size=20_000)
    found = prior(true * random.chisquare(2, size=20_000) / 2, 2)
    assert found == pytest.approx((usual, worth), rel=0.1)


def test_variances_that_are_all_alike_weigh_what_is_allowed():
    random = np.random.default_rng(0)
    usual, worth = prior(3 * random.chisquare(2, size=20_000) / 2, 2)
    assert (usual, worth) == (pytest.approx(3, rel=0.05), LOAN)


def test_who_lacks_a_seed_is_compared_alone():
    random = np.random.default_rng(0)
    rows = [points(row) for row in random.normal(size=(9, 3))]
    del rows[4][2]
    found = differences(rows)
    assert [one.lent for one in found] == [number != 3 for number in range(8)]
    assert found[3] == difference(rows[0], rows[4])
    assert differences(rows[:5]) == [difference(rows[0], one) for one in rows[1:5]]


def test_a_seed_that_only_the_baseline_has_takes_nothing_away():
    random = np.random.default_rng(0)
    rows = [points(row) for row in random.normal(size=(9, 3))]
    before = differences(rows)
    rows[0][3] = Point(7.0)
    assert differences(rows) == before
    del rows[0][0], rows[0][3]  # now it lacks one: two seeds are too few to lend
    assert not any(one.lent for one in differences(rows))


def test_nobodys_scatter_is_taken_to_be_smaller_than_it_was_seen():
    random = np.random.default_rng(0)
    rows = random.normal(size=(12, 3))
    wild = rows.copy()
    wild[5] *= 100
    wide = differences([points(row) for row in wild])[4]
    assert wide.high - wide.low > 3 * np.std(wild[5], ddof=1) / math.sqrt(3)


def test_measuring_is_the_floor_among_many_too():
    random = np.random.default_rng(0)
    found = differences([points(row, 5.0) for row in random.normal(size=(10, 3))])
    assert all(one.floored and one.high - one.low > 10 for one in found)


# ---------------------------------------------------------------- edges


def test_one_seed_gives_no_interval_and_no_verdict():
    found = difference({0: Point(1.0, 0.1)}, {0: Point(5.0, 0.1)})
    assert found == (4.0, None, None, None, (4.0,), False, False)
    assert verdicts([found], "lower")[0][0] == "no verdict from one seed"
    apart = difference({0: Point(1.0)}, {1: Point(5.0)})
    assert apart == (4.0, None, None, None, (), False, False)


def test_no_numbers_are_no_difference():
    assert difference({}, {0: Point(1.0)}) is None
    assert difference({0: Point(1.0)}, {}) is None
    assert verdicts([None, difference({0: Point(1)}, {0: Point(1)})], "lower")[0][0] == "no number"


def test_numbers_equal_to_the_last_digit():
    same = difference(points([1, 2, 3]), points([1, 2, 3]))
    assert (same.mean, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert verdicts([same], "lower")[0][0] == "no measurable difference"
    shifted = difference(points([1, 2, 3]), points([2, 3, 4]))
    assert verdicts([shifted], "lower")[0][0] == "worse"


def test_comparisons_without_a_p_value_do_not_count_among_the_many():
    sure = difference(points([0, 0.1, 0.2]), points([5, 5.1, 5.4]))
    lone = difference({0: Point(1)}, {0: Point(2)})
    assert verdicts([lone, None, sure], "lower")[2] == ("worse", pytest.approx(sure.p))


@pytest.mark.parametrize("bounds", [(None, None), (math.nan, 1.0), (-math.inf, math.inf)])
def test_an_interval_that_says_nothing_is_no_error(bounds):
    assert point(2.0, *bounds) == (2.0, 0.0)


def test_the_error_behind_an_interval():
    assert point(2.0, 2 - 1.96, 2 + 1.96).error == pytest.approx(1, abs=1e-4)
