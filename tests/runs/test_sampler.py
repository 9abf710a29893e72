"""Sampling from a trained run: the same seed gives the same picture."""

import dataclasses
import inspect
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import gankit
from gankit import GankitError


@pytest.fixture(scope="module")
def sampler(trained, registry):
    return gankit.load(trained, registry=registry)


def test_the_same_seed_gives_the_same_picture(sampler, trained, registry):
    first = np.asarray(sampler.sample(seed=7))
    assert first.shape == (16, 16, 3)
    assert np.array_equal(first, np.asarray(sampler.sample(7)))
    again = gankit.load(str(trained), registry=registry)
    assert np.array_equal(first, np.asarray(again.sample(7)))
    assert not np.array_equal(first, np.asarray(sampler.sample(8)))


def test_torchs_own_random_state_does_not_matter(sampler):
    torch.manual_seed(1)
    first = sampler.latents([3, 4])
    torch.manual_seed(2)
    assert torch.equal(first, sampler.latents([3, 4]))


def test_a_picture_does_not_depend_on_its_neighbours(sampler):
    alone = sampler.images(sampler.latents([5]))
    for seeds in ([5, 6, 7, 8], [900, 5], range(3, 103)):
        index = list(seeds).index(5)
        with_others = sampler.images(sampler.latents(seeds))[index : index + 1]
        torch.testing.assert_close(with_others, alone, rtol=0, atol=1e-5)


def test_images_have_the_right_shape_and_range(sampler):
    images = sampler.images(sampler.latents(range(130)))  # drawn in more than one go
    assert images.shape == (130, 3, 16, 16)
    assert images.dtype == torch.float32
    assert -1 <= images.min() <= images.max() <= 1
    assert not images.requires_grad


def test_a_grid_shows_the_pictures_of_successive_seeds(sampler):
    grid = np.asarray(sampler.grid(4, seed=2)).astype(int)
    assert grid.shape == (38, 38, 3)
    single = np.asarray(sampler.sample(3)).astype(int)
    assert np.abs(grid[2:18, 20:36] - single).max() <= 1
    assert sampler.grid().size == (8 * 18 + 2, 8 * 18 + 2)


def test_any_z_can_be_drawn_with_any_number_of_columns(sampler):
    z = sampler.latents(range(6))
    row = np.asarray(sampler.draw(z, columns=6)).astype(int)
    assert row.shape == (20, 6 * 18 + 2, 3)
    single = np.asarray(sampler.sample(4)).astype(int)
    assert np.abs(row[2:18, 4 * 18 + 2 : 4 * 18 + 18] - single).max() <= 1
    assert np.array_equal(sampler.draw(z[:4]), sampler.grid(4))


def test_the_newest_checkpoint_is_the_default(trained, sampler, registry):
    earlier = gankit.load(trained, step=4, registry=registry)
    assert (sampler.step, earlier.step) == (8, 4)
    z = sampler.latents([0])
    assert not torch.equal(sampler.images(z), earlier.images(z))


def test_with_ema_the_average_is_sampled(trained, sampler):
    from gankit.training.checkpoints import checkpoint

    _, saved, _ = checkpoint.load_newest(trained / "checkpoints")
    weights = sampler.net.state_dict()
    assert all(torch.equal(weights[name], saved.model["sampler"][name]) for name in weights)
    assert any(not torch.equal(weights[name], saved.model["G"][name]) for name in weights)


def test_without_ema_g_is_sampled(tiny, registry, here):
    from gankit.training.settings.compose import compose
    from gankit.training.train import train

    folder = train(compose(registry, **tiny(length="1 steps", out="run")), registry)
    assert gankit.load(folder, registry=registry).sample().size == (16, 16)


@pytest.mark.parametrize("shape", [(100,), (2, 99), (2, 100, 1), ()])
def test_a_z_of_another_shape_is_refused(sampler, shape):
    with pytest.raises(GankitError, match=r"\(N, 100\)"):
        sampler.images(torch.zeros(shape))


def test_a_step_without_checkpoint_is_refused(trained, registry):
    with pytest.raises(GankitError) as error:
        gankit.load(trained, step=6, registry=registry)
    for kept in ("000004", "000008"):
        assert kept in str(error.value)


def test_a_folder_without_run_is_refused(tmp_path, registry):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(GankitError, match="run"):
            gankit.load(folder, registry=registry)


def test_a_run_without_checkpoint_is_refused(tmp_path, trained, registry):
    shutil.copy(trained / "run.json", tmp_path)
    with pytest.raises(GankitError, match="checkpoint"):
        gankit.load(tmp_path, registry=registry)


def test_an_older_checkpoint_replaces_a_damaged_one(tmp_path, trained, registry):
    copy = shutil.copytree(trained, tmp_path / "copy")
    weights = copy / "checkpoints" / "step-000008" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert gankit.load(copy, registry=registry).step == 4
    with pytest.raises(GankitError, match="damaged"):
        gankit.load(copy, step=8, registry=registry)


def test_imports_of_modules_do_not_replace_functions():
    for name in ("compose", "train", "load"):
        for _ in range(2):  # the first access imports modules, which must not replace the function
            assert inspect.isfunction(getattr(gankit, name)), name
    assert inspect.isclass(gankit.Loss)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gankit.nonsense  # noqa: B018


def test_counts_seeds_and_columns_that_draw_nothing_are_refused(sampler):
    z = sampler.latents([0])
    for draw, fact in (
        (lambda: sampler.grid(0), "count is 0"),
        (lambda: sampler.grid(-1), "count is -1"),
        (lambda: sampler.draw(z, columns=-2), "columns is -2"),
        (lambda: sampler.draw(z[:0]), r"\(0, 100\)"),
        (lambda: sampler.draw(z[0]), r"\(100,\)"),
        (lambda: sampler.images(z[:0]), r"\(0, 100\)"),
        (lambda: sampler.latents([]), "seed"),
    ):
        with pytest.raises(GankitError, match=fact):
            draw()


@pytest.mark.parametrize(
    ("method", "given", "named"),
    [
        ("latents", 64, "seeds is 64"),
        ("latents", "7", "seeds is '7'"),
        ("latents", [0.5], "seeds is"),
        ("images", 64, "z is 64"),
        ("images", np.zeros((1, 100)), "z is <ndarray of shape"),
        ("draw", [Image.new("RGB", (4, 4))], "z is"),
    ],
)
def test_what_is_no_latents_is_refused(sampler, method, given, named):
    with pytest.raises(GankitError, match=f"{named}.*range"):
        getattr(sampler, method)(given)


def test_a_sampler_has_a_short_repr(sampler):
    assert len(repr(sampler)) < 200
    assert f"step {sampler.step}" in repr(sampler)
    assert sampler.latents(np.arange(2)).shape == (2, sampler.run.latent_dim)


class _Level(torch.nn.Module):
    """A G that draws the number of a class, or the mean of its shares, as a level from -1 to 1."""

    def forward(self, z, labels):
        numbers = labels if labels.dtype == torch.int64 else labels @ torch.arange(3.0)
        return (numbers - 1)[:, None, None, None].expand(len(z), 3, 16, 16)


@pytest.fixture(scope="module")
def with_classes(sampler):
    run = dataclasses.replace(sampler.run, class_labels=True, class_names=("a", "b", "c"))
    return gankit.Sampler(run, 8, _Level())


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 1, 2]),
        np.array([0, 1, 2], np.uint8),
        np.eye(3),
        np.eye(3, dtype=np.float32),
        torch.tensor([0, 1, 2], dtype=torch.int32),
    ],
)
def test_labels_may_be_of_numpy_and_of_any_type(with_classes, labels):
    z = with_classes.latents(range(3))
    assert with_classes.frames(z, labels)[:, 0, 0, 0].tolist() == [0, 128, 255]
    assert with_classes.images(z, labels)[:, 0, 0, 0].tolist() == [-1, 0, 1]
    assert with_classes.draw(z, labels=labels).size == (38, 38)
    picture = with_classes.sample(3, label=np.int64(1))
    assert picture.getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize(
    ("labels", "fact"),
    [
        (np.array([0, 1]), "expected a tensor"),
        (np.array(["a", "b", "c"]), "expected a tensor"),
        (np.array([0.0, 1.0, 2.0]), "expected a tensor"),
        ("abc", "expected a tensor"),
        (np.array([0, 1, 3]), "from 0 to 2"),
        (np.array([-1, 0, 1]), "from 0 to 2"),
    ],
)
def test_labels_that_are_none_are_refused(with_classes, labels, fact):
    with pytest.raises(GankitError, match=fact):
        with_classes.frames(with_classes.latents(range(3)), labels)
