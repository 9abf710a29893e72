"""The trick grow: its schedule, what D takes for real, resuming, and other parts beside it."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from gankit_explore.program.check import largest_difference
from gankit_explore.program.lower import lower
from gankit_tricks.grow import Grow
from PIL import Image

from gankit import GankitError, Trick, compose, load, read_log, train
from gankit.compute.compiling import compile_networks
from gankit.core.reported import text_of
from gankit.runs.read_grid import read_grid
from gankit.training.checkpoints import checkpoint

# Of 12 steps, 3 have 8 px, 2 have 16 px, of which the first fades in, and the others 32 px.
GROWING = {
    "model": "grow64:base_channels=4",
    "image_size": 32,
    "length": "12 steps",
    "log_every": 1,
    "save_every": 1,
    "keep": 20,
    "threads": 1,
}
TRICKS = ("grow:start=8", "ema:decay=0.9", "lr-decay")
SIZES = [8, 8, 8, 16, 16, *[32] * 7]
FADES = [1, 1, 1, 0.5, 1, 0.166667, *[1] * 6]


@pytest.fixture(scope="module")
def grown(registry, tiny, tmp_path_factory):
    """The folder of a run that grew from 8 to 32 px."""
    out = tmp_path_factory.mktemp("grown") / "run"
    return train(compose(registry, **tiny(**GROWING, tricks=TRICKS), out=out), registry, quiet=True)


@pytest.fixture
def growing(registry, trainer_of):
    """`growing("ema")`: a trainer of such a run with more tricks, or other settings."""

    def build(*tricks, **settings):
        return trainer_of(*tricks, "grow:start=8", **{**GROWING, **settings})

    return build


def weights_of(folder):
    newest = checkpoint.list_checkpoints(folder / "checkpoints")[0]
    return json.loads((newest / "manifest.json").read_text())["sha256"]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({}, {0: (0, 1), 0.19: (0, 1), 0.2: (1, 0), 0.25: (1, 0.5), 0.3: (1, 1), 0.4: (2, 0)}),
        ({}, {0.45: (2, 0.5), 0.5: (2, 1), 1: (2, 1)}),
        ({"fade": 0.0}, {0.24: (0, 1), 0.25: (1, 1), 0.5: (2, 1)}),
        ({"fade": 1.0, "until": 0.9}, {0.29: (0, 1), 0.45: (1, 0.5), 0.6: (2, 0), 0.9: (2, 1)}),
    ],
)
def test_each_size_has_an_equal_share_of_the_run(options, sizes):
    trick = Grow(**options)
    trick.max_doublings = 2
    for progress, expected in sizes.items():
        assert trick._scheduled(progress) == pytest.approx(expected, abs=1e-5)


def test_the_log_says_how_large_pictures_are(grown):
    log = read_log(grown)
    assert log["grow.size"] == SIZES
    assert log["grow.fade"] == FADES
    assert log["grow"][3:5] == ["16 px, 50% faded in", "16 px"]


def test_d_gets_small_pictures_which_fade_too(growing):
    trainer = growing()
    trick = trainer.tricks[0]
    real = trainer.batches[0]
    assert torch.equal(trick.reals(real, trainer.gan), torch.nn.functional.avg_pool2d(real, 4))
    trick.doublings, trick.fade = 1, 0.0
    blurred = trick.reals(real, trainer.gan)
    trick.fade = 1.0
    sharp = trick.reals(real, trainer.gan)
    trick.fade = 0.25
    assert blurred.shape == sharp.shape == (8, 3, 16, 16)
    assert torch.allclose(trick.reals(real, trainer.gan), 0.75 * blurred + 0.25 * sharp, atol=1e-6)
    assert (blurred - sharp).abs().max() > 0.1
    trick.doublings, trick.fade = 2, 1.0
    assert trick.reals(real, trainer.gan) is real


def test_all_networks_grow_in_the_same_step(growing):
    trainer = growing("ema")
    seen = []
    trainer.gan.G.net.register_forward_hook(lambda net, given, made: seen.append(made.shape[-1]))
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: seen.append(given[0].shape[-1]))
    for step, size in enumerate(SIZES):
        seen.clear()
        trainer.step(step)
        assert set(seen) == {size}
        nets = (trainer.gan.G.net, trainer.gan.D.net, trainer.gan.sampler)
        assert {net.halvings for net in nets} == {{8: 2, 16: 1, 32: 0}[size]}
        assert len({float(net.fade) for net in nets}) == 1


@pytest.mark.parametrize("stop_after", [4, 6])
def test_a_run_that_was_stopped_in_a_fade_is_resumed_exactly(
    grown, registry, tiny, tmp_path, stop_after
):
    steps = iter(range(1, 13))
    run = compose(registry, **tiny(**GROWING, tricks=TRICKS), out=tmp_path / "run")
    folder = train(run, registry, stop=lambda: next(steps) == stop_after, quiet=True)
    assert len(list((folder / "checkpoints").glob("step-*"))) == stop_after
    train(folder, registry, resume=True, quiet=True)
    assert weights_of(folder) == weights_of(grown)


def test_every_checkpoint_and_grid_has_pictures_of_the_full_size(grown, registry):
    for step, size in enumerate(SIZES, start=1):
        sampler = load(grown, step=step, registry=registry)
        picture = np.asarray(sampler.sample(seed=3))
        assert picture.shape == (32, 32, 3)
        side = 32 // size  # of the squares
        assert np.array_equal(picture[::side, ::side].repeat(side, 0).repeat(side, 1), picture)
    grids = [read_grid(path) for path in (grown / "samples").glob("*.png")]
    assert len({grid.size for grid in grids}) == 1


@pytest.mark.parametrize("step", [3, 6, 12])
def test_a_page_draws_with_it_at_every_size(grown, registry, step):
    net = load(grown, step=step, registry=registry).net
    assert largest_difference(lower(net, 100), net) < 1


def test_a_longer_run_keeps_its_size(grown, growing):
    trainer = growing()
    for step in range(6):
        trainer.step(step)
    assert trainer.tricks[0].doublings == 2
    trainer.run = dataclasses.replace(trainer.run, steps=1000)
    trainer.step(6)
    assert (trainer.tricks[0].doublings, trainer.tricks[0].fade) == (2, 0.166667)


def test_a_grown_generator_that_comes_after_the_start_does_not_shrink(growing, grown, registry):
    """As when an imported run is trained; with --init, they come before the start."""
    trainer = growing()
    trainer.gan.G.net.load_state_dict(load(grown, registry=registry).net.state_dict())
    trainer.step(0)
    assert trainer.gan.G.net.halvings == trainer.gan.D.net.halvings == 0


@pytest.mark.parametrize(
    ("trick", "settings", "facts"),
    [
        ("grow", {"model": "skip64:base_channels=4"}, ("G cannot grow", "grow64")),
        ("grow:start=8", {"discriminator": "dcgan:base_channels=4"}, ("D cannot grow", "grow64")),
        ("grow:start=17", {}, ("start is 17", "32 px", "16 or less")),
        ("grow:start=16", {"image_size": 16}, ("start is 16", "16 px", "8 or less")),
        ("grow:start=0", {}, ("start must be 1 or more",)),
        ("grow:until=1.5", {}, ("until and fade from 0 to 1",)),
        ("grow:fade=-1", {}, ("until and fade from 0 to 1",)),
        ("grow:begin=8", {}, ("no option 'begin'", "start")),
    ],
)
def test_what_cannot_grow_is_refused(trainer_of, trick, settings, facts):
    with pytest.raises(GankitError) as error:
        trainer_of(trick, **{**GROWING, **settings})
    for fact in facts:
        assert fact in str(error.value)


class Shrink(Trick):
    """Returns small reals, whatever the networks are."""

    def reals(self, images, gan):
        return images[..., ::2, ::2]

    def activity(self):
        return "shrank"


def test_only_networks_that_grow_may_get_smaller_reals(registry, tiny, tmp_path):
    run = compose(registry, **tiny(tricks=[Shrink()]), out=tmp_path / "run")
    with pytest.raises(GankitError, match=r"reals returns shape \(8, 3, 8, 8\)"):
        train(run, registry, quiet=True)


@pytest.mark.parametrize(
    ("image_size", "start", "first_size", "doublings"),
    [(32, 1, 8, 2), (32, 9, 16, 1), (48, 16, 24, 1), ("64x32", 8, 8, 2), ("32x64", 16, 16, 1)],
)
def test_it_begins_with_a_size_that_the_networks_have(
    trainer_of, image_size, start, first_size, doublings
):
    trainer = trainer_of(f"grow:start={start}", **{**GROWING, "image_size": image_size})
    trick = trainer.tricks[0]
    assert (trick.first_size, trick.max_doublings) == (first_size, doublings)
    full = trainer.batches[0].shape
    shapes = []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: shapes.append(given[0].shape))
    trainer.step(0)
    assert set(shapes) == {(8, 3, full[2] >> doublings, full[3] >> doublings)}
    assert trainer.gan.sample(torch.zeros(1, 100)).shape[1:] == full[1:]


@pytest.mark.parametrize("state", [{"halvings": 3}, {"fade": 2.0}, {"halvings": 2, "fade": 0.5}])
def test_a_state_that_it_cannot_have_is_refused(growing, state):
    trick = growing().tricks[0]
    with pytest.raises(ValueError, match="must be a number"):
        trick.load_state_dict({"halvings": 1, "fade": 1.0, **state})
    assert trick.doublings == 0


def test_compiled_networks_do_not_grow(growing, caplog):
    trainer = growing(compile="yes")
    with pytest.raises(GankitError, match="grow.*--compile no"):
        compile_networks(trainer.run, trainer.gan)
    trainer = growing(compile="auto")
    assert compile_networks(trainer.run, trainer.gan).compile == "no"
    assert "stay plain" in caplog.text


def test_a_buffer_of_old_fakes_begins_anew_at_each_size(growing):
    trainer = growing("replay")
    replay = trainer.tricks[0]
    for step, size in enumerate(SIZES[:7]):
        trainer.step(step)
        assert replay.old.shape[1:] == (3, size, size)
    replay.load_state_dict(replay.state_dict())
    with pytest.raises(ValueError, match="as G makes"):
        replay.load_state_dict({"old": torch.zeros(4, 3, 8, 8, dtype=torch.uint8)})


def test_old_fakes_keep_their_classes_when_they_begin_anew(growing):
    trainer = growing("replay:size=5", dataset="petals:count=64", class_labels=True)
    replay = trainer.tricks[0]
    for step in range(7):
        trainer.step(step)
        assert len(replay.old_labels) == len(replay.old)


def test_a_preview_shows_what_d_sees_first(registry, tiny, gankit_cli):
    words = ["run", "--model", "grow64:base_channels=4", "--dataset", "petals:count=64"]
    code, out, _ = gankit_cli(*words, "--device", "cpu", "--preview", "seen.png")
    assert code == 0
    assert "after grow" in out
    with Image.open("seen.png") as picture:
        assert picture.width > 2 * 4 * 64


def test_the_activity_is_silent_if_nothing_grows():
    assert Grow(until=0).activity() is None
    trick = Grow(start=8)
    trick.max_doublings = 2
    assert text_of(trick.activity()) == "8 px"
