"""How often races make a false claim, and how often they find a real difference, simulated.

Each simulated run's number is what its seed does to every variant (scatter 1), plus what training
does to this run alone, plus the error of measuring it; the last two together scatter by 1.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from gankit_race.stats import BETTER, WORSE, difference, verdicts

PAGE = Path(__file__).parents[3] / "docs" / "races.md"
RACES = 1000  # simulated; 3 standard errors of a share of 5 % are 2 %
NOISE = {
    "normal": lambda random, shape: random.normal(size=shape),
    "heavy tails": lambda random, shape: random.standard_t(3, size=shape) / 3**0.5,
    "skewed": lambda random, shape: random.exponential(size=shape),
    "some scatter more": lambda random, shape: (
        random.normal(size=shape) * np.exp(random.normal(0, 0.7, (shape[0], 1)))
    ),
}


def claims(variants, seeds, noise="normal", effect=0.0, races=RACES, first=0, seed_effect=1.0):
    """The verdicts on all variants in each race; `effect` is what the last one is worse by.

    With `first`, the other variants' seeds begin there, so that they are not the baseline's.
    `seed_effect` is the scatter of what a seed does to every variant.
    """
    random = np.random.default_rng(3)
    outcomes = []
    for _ in range(races):
        own = 0.87 * NOISE[noise](random, (variants, seeds))
        measuring = 0.5 * random.normal(size=(variants, seeds))
        of_seed = random.normal(0, seed_effect, size=(variants, seeds) if first else seeds)
        values = own + measuring + of_seed
        values[-1] += effect
        baseline, *others = values.tolist()
        changes = [
            difference(dict(enumerate(baseline)), dict(enumerate(other, start=first)))
            for other in others
        ]
        outcomes.append([verdict for verdict, _ in verdicts(changes, "lower")])
    return outcomes


def false_claims(outcomes):
    """The share of races that call any variant better or worse."""
    return np.mean([any(verdict in (BETTER, WORSE) for verdict in race) for race in outcomes])


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize(("variants", "seeds"), [(2, 3), (2, 5), (4, 3), (8, 4)])
def test_a_race_among_equals_makes_a_false_claim_in_5_of_100(variants, seeds, noise):
    races = RACES if variants < 8 else 500
    assert false_claims(claims(variants, seeds, noise, races=races)) < 0.07


@pytest.mark.parametrize("seeds", [3, 5])
def test_two_equal_variants_differ_in_5_of_100_races(seeds):
    """Exactly the nominal rate: fewer would mean intervals that are wider than they need be."""
    assert false_claims(claims(2, seeds)) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("noise", NOISE)
def test_runs_without_common_seeds_make_no_more_false_claims(noise):
    assert false_claims(claims(2, 3, noise, first=10)) < 0.07


def test_pairing_removes_the_seed_effect():
    def rate(first):
        outcomes = claims(2, 5, effect=3, first=first, seed_effect=5)
        return np.mean([race == [WORSE] for race in outcomes])

    assert rate(first=0) > 0.9
    assert rate(first=10) < 0.3


def test_only_the_variant_that_differs_is_found():
    outcomes = claims(4, 6, effect=-6.0, races=500)
    assert np.mean([race[2] == BETTER for race in outcomes]) > 0.95
    assert np.mean([{race[0], race[1]} & {BETTER, WORSE} == set() for race in outcomes]) > 0.94


def test_the_page_says_how_often_a_difference_is_found():
    """The table in races.md: variants, the size of the difference, and a share for 3 to 5 seeds."""
    rows = re.findall(r"^\| (\d+) \| (\d) times .*?\| (.*) \|$", PAGE.read_text("utf-8"), re.M)
    assert len(rows) == 6
    for variants, effect, shares in rows:
        for seeds, share in enumerate(re.findall(r"(\d+) %", shares), start=3):
            outcomes = claims(int(variants), seeds, effect=float(effect), races=400)
            rate = np.mean([race[-1] == WORSE for race in outcomes])
            assert rate == pytest.approx(int(share) / 100, abs=0.09), (
                variants,
                effect,
                seeds,
            )
