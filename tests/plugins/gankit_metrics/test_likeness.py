"""Pictures that are nothing like the real ones are named, and no metric praises them."""

import numpy as np
import pytest
from gankit_metrics.bootstrap import make_note
from gankit_metrics.likeness import explain_unlikeness
from gankit_metrics.memorising import Memorising
from gankit_metrics.neighbours import Precision
from gankit_metrics.picture_sets import HOLDOUT, PictureSets, choose_picture_sets
from PIL import Image, ImageFilter

import gankit
from gankit import GankitError, compose, train
from gankit.core.contracts.prepared import PreparedDataset

COUNT = 60
RANDOM = np.random.default_rng(0)


def petals(first, count=COUNT, size=64):
    dataset = gankit.core.parts.registry.load_registry().make(
        "dataset", "petals", image_size=size, channels=3
    )
    return np.stack([np.asarray(dataset[first + index]) for index in range(count)])


def noise(size=64, count=COUNT):
    return RANDOM.integers(0, 256, (count, size, size, 3), np.uint8)


def grey_noise(sigma, size=64):
    levels = RANDOM.normal(128, sigma, (COUNT, size, size, 1)).clip(0, 255)
    return np.repeat(levels, 3, axis=3).astype(np.uint8)


def plain(levels):
    return np.broadcast_to(np.uint8(levels), (COUNT, 64, 64, 3)).copy()


@pytest.fixture(scope="module")
def real():
    return petals(0)


@pytest.mark.parametrize(
    ("pictures", "word"),
    [
        (noise(), "noise"),
        (grey_noise(30), "noise"),
        (grey_noise(70), "noise"),
        (noise(32).repeat(2, axis=1).repeat(2, axis=2), "noise"),  # enlarged
        (grey_noise(60, 32).repeat(2, axis=1).repeat(2, axis=2), "noise"),
        (plain(128), "colour"),
        (plain(0), "colour"),
        (plain((200, 30, 30)), "colour"),
        (RANDOM.integers(0, 256, (COUNT, 1, 1, 3)) * np.ones((1, 64, 64, 1)), "colour"),
        (petals(500, 1).repeat(COUNT, axis=0), "SAME"),
    ],
)
def test_what_no_picture_looks_like_is_named(pictures, word, real):
    assert word in explain_unlikeness(pictures.astype(np.uint8), real)


def blurred(pictures):
    blur = ImageFilter.GaussianBlur(2)
    return np.stack([np.asarray(Image.fromarray(pixels).filter(blur)) for pixels in pictures])


def with_noise(pictures):
    return (pictures + RANDOM.normal(0, 25, pictures.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("change", [np.asarray, blurred, with_noise, lambda p: p[:, ::-1], np.flip])
def test_pictures_with_a_fault_are_still_pictures(change, real):
    assert explain_unlikeness(np.ascontiguousarray(change(petals(1000))), real) == ""


@pytest.mark.parametrize("size", [16, 24, 50, 64])
def test_every_size_can_be_checked(size):
    assert explain_unlikeness(petals(0, 30, size), petals(100, 30, size)) == ""
    assert explain_unlikeness(noise(size), petals(100, 30, size))


def test_where_the_real_pictures_are_noise_or_plain_that_is_what_g_should_draw():
    assert explain_unlikeness(noise(), noise()) == ""
    greys = RANDOM.integers(0, 256, (COUNT, 1, 1, 3)) * np.ones((1, 64, 64, 1))
    assert explain_unlikeness(plain(100), greys.astype(np.uint8)) != explain_unlikeness(
        plain(100), petals(0)
    )


@pytest.fixture
def held_out(tiny, registry, here):
    """A run of two steps with 40 of its 160 pictures held out."""
    settings = tiny(dataset="petals:count=160", holdout=0.25, length="2 steps", out="held")
    return train(compose(registry, **settings), registry)


METRICS = [
    "swd",
    "memorising",
    *(f"{name}:features=pixels" for name in
      ("kid", "fid", "precision", "recall", "density", "coverage", "diversity")),
]  # fmt: skip
PRAISE = ("no sign", "cannot be told", "as near", "better than", "as different", "near to as many")


@pytest.mark.parametrize("pictures", [noise(16, 40), plain(128)[:40, :16, :16]])
def test_no_metric_praises_noise_or_grey(held_out, pictures):
    measured = gankit.evaluate(held_out, METRICS, pictures=pictures)
    assert [row.metric for row in measured] == METRICS
    for row in measured:
        assert "NOTHING LIKE THE REAL PICTURES" in row.note
        assert [words for words in PRAISE if words in row.note] == []


def test_real_pictures_are_called_nothing_of_the_kind(held_out):
    pictures = np.ascontiguousarray(petals(5000, 40, 16))
    for row in gankit.evaluate(held_out, METRICS, pictures=pictures):
        assert "NOTHING LIKE" not in row.note


def test_the_command_says_that_an_untrained_g_draws_nothing_like_pictures(held_out, gankit_cli):
    code, out, _ = gankit_cli("evaluate", held_out, "--metric", "memorising")
    assert code == 0
    assert "NOTHING LIKE THE REAL PICTURES" in out
    assert "no sign of copying" not in out


@pytest.mark.parametrize(
    ("metric", "interval", "floor", "words"),
    [
        (Memorising(), (0.1, 0.2), 0.45, "perhaps bad"),  # far from every real picture
        (Memorising(), (0.4, 0.5), 0.45, "no sign"),
        (Memorising(), (0.6, 0.8), 0.45, ""),
        (Precision("pixels"), (0.97, 1.0), 0.9, "better than real"),
        (Precision("pixels"), (0.8, 0.95), 0.9, "as near"),
    ],
)
def test_better_than_real_pictures_is_not_better(metric, interval, floor, words, real):
    rows = {"fresh": np.arange(300), "reference": np.arange(300)}
    sets = PictureSets(real, rows, HOLDOUT, real)
    sets._unlikeness = ""
    note = make_note(metric, sets, interval, floor, "")
    assert words in note
    assert bool(words) == bool(note)


@pytest.mark.parametrize(("train_part", "held"), [(60, 0), (60, 30), (40, 1)])
def test_copies_of_a_few_pictures_are_too_few_to_measure(train_part, held):
    pixels = petals(0, 3, 16)[np.arange(train_part + held) % 3]
    rows = np.arange(train_part + held)
    prepared = PreparedDataset(pixels, rows[:train_part], rows[train_part:], "print")
    with pytest.raises(GankitError, match=r"too few different .* 3 of .* 20 "):
        choose_picture_sets(prepared, 1000, 0)


@pytest.mark.parametrize("holdout", [0, 0.007])
def test_a_hold_out_of_no_or_one_picture(tiny, registry, gankit_cli, holdout):
    settings = tiny(dataset="petals:count=150", holdout=holdout, length="1 steps", out="few")
    train(compose(registry, **settings), registry)
    code, out, _ = gankit_cli("evaluate", "few", "--metric", "swd")
    assert (code, "training part" in out) == (0, True)
    code, _, err = gankit_cli("evaluate", "few", "--metric", "memorising")
    assert code == 2
    assert f" 20 pictures held out, and this run has {round(150 * holdout)}:" in err
    assert "--holdout" in err
