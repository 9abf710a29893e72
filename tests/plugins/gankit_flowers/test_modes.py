"""modes: the recogniser against the true factors of pictures, and sets with known modes."""

import re

import numpy as np
import pytest
from gankit_flowers.factors import COLOURS, COUNTS
from gankit_flowers.modes import MODES, Modes, kind_name
from gankit_flowers.petals import Petals
from gankit_flowers.recognise import recognise

COUNT = 600
ROWS = np.arange(COUNT)


@pytest.fixture(scope="module")
def petals():
    return Petals(64, COUNT, seed=11)


@pytest.fixture(scope="module")
def truth(petals):
    return truth_of(petals)


def truth_of(petals):
    """(petal count, index in COLOURS) of all pictures, as two arrays."""
    all_factors = [petals.factors(index) for index in range(len(petals))]
    colours = [[*COLOURS].index(factors.colour) for factors in all_factors]
    return np.array([factors.petals for factors in all_factors]), np.array(colours)


@pytest.fixture(scope="module")
def pictures(petals):
    return petals.batch(range(COUNT))


def is_correct(read, truth):
    return (read.count == truth[0]) & (read.colour == truth[1])


def blurred(pictures):
    """Each pixel the mean of 3 x 3, twice."""
    pixels = pictures.astype(np.float32)
    for _ in range(2):
        for axis in (1, 2):
            pixels = (pixels + np.roll(pixels, 1, axis) + np.roll(pixels, -1, axis)) / 3
    return pixels.round().astype(np.uint8)


def test_it_reads_petals(pictures, truth):
    read = recognise(pictures)
    assert is_correct(read, truth).mean() >= 0.99
    assert read.sure.mean() >= 0.99


def test_it_reads_petals_through_blur_and_noise(pictures, truth):
    noise = np.random.default_rng(0).normal(0, 15, pictures.shape)
    noisy = (pictures + noise).round().clip(0, 255).astype(np.uint8)
    for spoilt in (blurred(pictures), noisy):
        read = recognise(spoilt)
        assert read.sure.mean() >= 0.8
        assert is_correct(read, truth)[read.sure].mean() >= 0.97


@pytest.mark.parametrize("size", [32, 128])
def test_it_reads_petals_of_other_sizes(size):
    petals = Petals(size, 120, seed=12)
    assert is_correct(recognise(petals.batch(range(120))), truth_of(petals)).mean() >= 0.97


def test_pictures_without_a_flower_are_not_sure(pictures):
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (64, 64, 64, 3), dtype=np.uint8)
    flat = np.full((4, 64, 64, 3), 127, np.uint8)
    halves = np.concatenate([pictures[:200, :, :32], pictures[200:400, :, 32:]], axis=2)
    assert recognise(noise).sure.mean() < 0.1
    assert not recognise(flat).sure.any()
    assert recognise(halves).sure.mean() < 0.6  # some halves fit together


def test_all_modes_of_real_petals_are_hit(pictures):
    metric = Modes()
    kinds = metric.features(pictures)
    state = metric.compare(kinds, kinds)
    assert 33 < metric.score(state, ROWS, ROWS) <= MODES  # as evenly as 600 draws are
    assert re.findall(r"\d+", metric.describe(state))[:3] == ["36", "36", "0"]


def test_missing_modes_are_noticed(pictures, truth):
    metric = Modes()
    colour = truth[1] < 3
    kinds = metric.features(pictures[colour])
    state = metric.compare(kinds, kinds)
    rows = np.arange(colour.sum())
    assert 16.5 < metric.score(state, rows, rows) < 18.5
    note = metric.describe(state)
    assert note.startswith("18 of 36 ")
    assert "pink 4, pink 5, pink 6, pink 7, pink 8, pink 9" in note
    assert "12 more" in note


def test_one_mode_alone_and_uneven_ones():
    metric = Modes()
    rows = np.arange(100)
    single = np.full(100, 7)
    assert metric.score((single, single), rows, rows) == pytest.approx(1)
    even = np.arange(100) % MODES
    uneven = np.where(np.arange(100) < 70, 0, even)
    assert metric.score((uneven, even), rows, rows) < 0.5 * metric.score((even, even), rows, rows)
    none = np.full(100, -1)
    assert metric.score((none, even), rows, rows) == 0
    assert "100.0%" in metric.describe((none, even))


def test_grey_petals_have_no_colour(pictures):
    with pytest.raises(ValueError, match="grey"):
        Modes().features(pictures[..., :1])


def test_the_order_of_kinds_is_that_of_their_names(pictures, truth):
    kinds = Modes().features(pictures)
    sure = kinds >= 0
    names = np.array([f"{[*COLOURS][c]} {count}" for count, c in zip(*truth, strict=True)])
    assert np.mean(np.array([kind_name(kind) for kind in kinds[sure]]) == names[sure]) > 0.99
    assert len({kind_name(kind) for kind in range(MODES)}) == MODES == len(COUNTS) * len(COLOURS)
