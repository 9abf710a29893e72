"""petals: every picture is a function of its index, and shows its factors."""

from colorsys import rgb_to_hsv

import numpy as np
import pytest
from gankit_flowers.factors import COUNTS, RANGES, draw_factors
from gankit_flowers.petals import VERSION, Petals

COUNT = 500
GOLDEN_FACTORS = [
    (9, "pink"),
    (7, "yellow"),
    (7, "blue"),
    (8, "yellow"),
    (7, "yellow"),
    (6, "red"),
    (6, "white"),
    (6, "blue"),
]
GOLDEN_PLACE = [0.7388915, 0.3079495, 0.4389576, 0.4351618]
GOLDEN_PICTURES = [0, 1, 2, 5, 6, 9]  # one of each colour
GOLDEN_QUARTERS = [  # (6 pictures, 2, 2, RGB)
    *(82.0, 89.7, 89.7, 84.4, 86.4, 88.3, 90.7, 78.0, 85.6, 117.6, 101.2, 104.5),
    *(112.4, 142.7, 72.3, 85.2, 126.3, 71.1, 92.3, 102.3, 44.1, 64.1, 83.6, 41.9),
    *(49.0, 81.4, 99.8, 55.7, 92.3, 103.3, 38.0, 74.5, 83.5, 67.6, 117.7, 99.5),
    *(90.7, 68.0, 27.7, 107.8, 78.1, 33.0, 72.0, 46.3, 19.1, 96.9, 89.5, 36.3),
    *(57.0, 84.5, 70.1, 98.5, 131.9, 108.8, 77.5, 106.5, 88.4, 130.1, 160.3, 129.0),
    *(50.7, 67.7, 66.3, 72.7, 81.1, 87.0, 43.0, 51.3, 58.7, 64.9, 64.0, 73.5),
]
# What people call these colours, in degrees of hue; white is what has no hue.
HUES = {"red": 0, "yellow": 47, "violet": 270, "blue": 217, "pink": 329}


@pytest.fixture(scope="module")
def garden():
    petals = Petals(64, count=COUNT)
    return [(picture, petals.factors(i)) for i, picture in enumerate(petals)]


def around(picture, truth, radii):
    """Colours (len(radii), 128, 3) on circles about the flower's centre; 1 is its radius."""
    size = len(picture)
    turns = 2 * np.pi * np.arange(128) / 128
    reach = np.array(radii)[:, None] * truth.size / 2
    x = np.clip((truth.x + reach * np.cos(turns)) * size - 0.5, 0, size - 1.001)
    y = np.clip((truth.y + reach * np.sin(turns)) * size - 0.5, 0, size - 1.001)
    left = x.astype(int)
    top = y.astype(int)
    dx = (x - left)[..., None]
    dy = (y - top)[..., None]
    upper = picture[top, left] * (1 - dx) + picture[top, left + 1] * dx
    lower = picture[top + 1, left] * (1 - dx) + picture[top + 1, left + 1] * dx
    return upper * (1 - dy) + lower * dy


def petal_or_leaf(colours):
    """1 on a petal, -1 on a leaf: nothing but a leaf has more green than red and blue."""
    return np.clip((colours[..., [0, 2]].max(-1) - 0.9 * colours[..., 1]) / 20, -1, 1)


def read_count(picture, truth):
    profile = petal_or_leaf(around(picture, truth, np.linspace(0.6, 0.85, 6))).mean(0)
    strength = np.abs(np.fft.rfft(profile))
    return max(COUNTS, key=lambda count: strength[count])


def read_colour(picture, truth):
    colours = around(picture, truth, np.linspace(0.5, 0.8, 6)).reshape(-1, 3)
    red, green, blue = np.median(colours[petal_or_leaf(colours) > 0.5], axis=0) / 255
    hue, saturation, _ = rgb_to_hsv(red, green, blue)
    if saturation < 0.2:
        return "white"
    return next((n for n, h in HUES.items() if abs((360 * hue - h + 180) % 360 - 180) < 12), None)


def test_petals_can_be_counted(garden):
    correct = [read_count(picture, truth) == truth.petals for picture, truth in garden]
    assert np.mean(correct) > 0.97


def test_colour_is_the_named_one(garden):
    correct = [read_colour(picture, truth) == truth.colour for picture, truth in garden]
    assert np.mean(correct) > 0.99


def test_everything_outside_the_flower_is_green(garden):
    for picture, truth in garden:
        place = (np.arange(64) + 0.5) / 64
        reach = np.hypot(place - truth.x, (place - truth.y)[:, None]) / (truth.size / 2)
        outside = picture[reach > 1.1].astype(int)
        assert (outside[:, 1] >= outside[:, [0, 2]].max(1)).all()


def test_flower_stays_inside(garden):
    for _, truth in garden:
        for centre in (truth.x, truth.y):
            assert abs(centre - 0.5) <= 0.5 - truth.size / 2 + 1e-6
            assert abs(centre - 0.5) <= 0.08 + 1e-6


def test_all_modes_are_about_equally_likely():
    petals = Petals(count=36_000, seed=1)
    f, _, _ = draw_factors(petals.seed, range(len(petals)))
    modes = (f.colour * len(COUNTS) + f.petals - COUNTS[0]).astype(int).ravel()
    share = np.bincount(modes, minlength=36)
    assert len(share) == 36
    # 1000 expected in each; the sum is chi-squared with 35 degrees of freedom: 99.9 % below 67.
    assert (np.square(share - 1000) / 1000).sum() < 67


def test_factors_fill_their_ranges_and_are_independent():
    f, _, _ = draw_factors(0, range(5000))
    columns = [np.ravel(values) for values in f]
    for name, (low, high) in RANGES.items():
        values = getattr(f, name) - (0.5 if name in "xy" else 0)
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high
    linked = np.abs(np.corrcoef(columns) - np.eye(len(columns)))
    assert linked.max() < 0.06  # chance alone stays below 4 / sqrt(5000)


@pytest.mark.parametrize("size", [16, 33, 64, 100, 256])
def test_batch_equals_items_to_the_byte(size):
    petals = Petals(size, count=30, seed=2)
    batch = petals.batch(range(30))
    assert batch.dtype == np.uint8
    assert batch.shape == (30, size, size, 3)
    for i, picture in enumerate(batch):
        assert np.array_equal(petals[i], picture)


def test_a_picture_depends_on_nothing_but_seed_and_index():
    petals = Petals(32, count=50)
    assert np.array_equal(Petals(32, count=9999).batch([3, 41]), petals.batch([3, 41]))
    assert np.array_equal(petals.batch([41, 3, 41])[[0, 1]], petals.batch([41, 3]))
    assert np.array_equal(petals[-1], petals[49])
    assert not np.array_equal(petals[3], petals[41])
    assert not np.array_equal(petals[3], Petals(32, count=50, seed=1)[3])
    assert petals.batch([]).shape == (0, 32, 32, 3)
    assert petals.batch(np.array([7]))[0].tobytes() == petals[7].tobytes()


def test_the_same_flower_at_every_size():
    large = Petals(256, count=40)
    pictures = large.batch(range(40)).astype(float)
    for size in (16, 32, 64, 128):
        small = Petals(size, count=40)
        assert small.factors(7) == large.factors(7)
        block = 256 // size
        shrunk = pictures.reshape(40, size, block, size, block, 3).mean((2, 4))
        assert np.abs(shrunk - small.batch(range(40))).mean() < 5


def test_the_pictures_have_not_changed():
    """If a picture changed on purpose, raise VERSION and write down the new values."""
    assert VERSION == 1
    petals = Petals(64)
    assert [petals.factors(i)[:2] for i in range(8)] == GOLDEN_FACTORS
    assert petals.factors(7)[2:6] == pytest.approx(GOLDEN_PLACE, abs=1e-6)
    # The brightness of quarters: a pixel may differ by one between processors, these do not.
    quarters = petals.batch(GOLDEN_PICTURES).reshape(6, 2, 32, 2, 32, 3).mean((2, 4))
    assert quarters.ravel() == pytest.approx(GOLDEN_QUARTERS, abs=0.1)


def test_fingerprint_tells_data_sets_apart():
    prints = {
        Petals(size, count, seed).fingerprint
        for size in (32, 64)
        for count in (10, 20)
        for seed in (0, 1)
    }
    assert len(prints) == 8
    assert Petals().fingerprint == Petals(64, 8192, 0).fingerprint


def test_factors_are_plain_numbers():
    truth = Petals().factors(np.int64(5))
    assert type(truth.petals) is int
    assert type(truth.colour) is str
    assert {type(value) for value in truth[2:]} == {float}


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="image_size.* 4"):
        Petals(image_size=4)
    with pytest.raises(ValueError, match="count.* 0"):
        Petals(count=0)
    petals = Petals(16, count=5)
    assert len(petals) == len(list(petals)) == 5
    for wrong in (5, -6):
        with pytest.raises(IndexError, match="5 pictures"):
            petals[wrong]
        with pytest.raises(IndexError, match="5 pictures"):
            petals.batch([0, wrong])
        with pytest.raises(IndexError, match="5 pictures"):
            petals.factors(wrong)
    with pytest.raises(TypeError):
        petals[0.5]
