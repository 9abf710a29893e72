"""Tricks with four channels: changes of colour leave alpha alone, and nothing comes of nothing."""

import numpy as np
import pytest
import torch
from gankit_tricks import ada_changes
from gankit_tricks.diffaugment import DiffAugment
from gankit_tricks.transparency import join_alpha, split_alpha
from sprites import draw_sprites

from gankit.core.parts.registry import load_registry
from gankit.data.read.fit import fit
from gankit.runs.images import from_uint8

TRICKS = [spec.name for spec in load_registry().specs("trick")]


def draw():
    return torch.Generator().manual_seed(5)


@pytest.fixture(scope="module")
def images():
    return from_uint8(np.stack([fit(sprite, 16, 4) for sprite in draw_sprites(30)]))


def color_of(name):
    if name == "ada":
        return lambda x: ada_changes.color(x, torch.ones(()), draw())
    return lambda x: DiffAugment()._color(x, draw())


def test_alpha_can_be_split_and_joined(images):
    colours, alpha = split_alpha(images)
    assert colours[images[:, 3:].expand(-1, 3, -1, -1) == -1].abs().max() == 0
    torch.testing.assert_close(join_alpha(colours, alpha), images)
    opaque = images[:, :3]
    assert split_alpha(opaque) == (opaque, 1.0)


@pytest.mark.parametrize("name", ["diffaugment", "ada"])
def test_a_change_of_colour_leaves_alpha_and_transparent_pixels(name, images):
    changed = color_of(name)(images)
    torch.testing.assert_close(changed[:, 3], images[:, 3])
    is_clear = (images[:, 3:] == -1).expand(-1, 3, -1, -1)
    assert is_clear.float().mean() > 0.2
    torch.testing.assert_close(changed[:, :3][is_clear], images[:, :3][is_clear])
    is_opaque = (images[:, 3:] == 1).expand(-1, 3, -1, -1)
    assert (changed[:, :3] - images[:, :3])[is_opaque].abs().mean() > 0.1


@pytest.mark.parametrize("name", ["diffaugment", "ada"])
def test_an_opaque_picture_changes_as_without_alpha(name, images):
    colours = images[:, :3] / 2
    opaque = torch.cat([colours, torch.ones_like(colours[:, :1])], dim=1)
    changed = color_of(name)(opaque)
    torch.testing.assert_close(changed[:, :3], color_of(name)(colours), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["diffaugment", "ada"])
def test_gradients_reach_all_four_channels(name, images):
    given = images.clone().requires_grad_()
    color_of(name)(given).square().sum().backward()
    assert (given.grad.abs().amax(dim=(0, 2, 3)) > 0).all()
    assert given.grad.isfinite().all()
    nothing = torch.full((2, 4, 8, 8), -1.0, requires_grad=True)
    color_of(name)(nothing).sum().backward()
    assert nothing.grad.isfinite().all()


@pytest.mark.parametrize("name", TRICKS)
def test_every_trick_trains_with_four_channels(name, trainer_of, sprites):
    trainer = trainer_of(name, dataset=None, data=str(sprites), channels=4)
    for step in range(2):
        scalars = trainer.step(step)
    assert all(value.isfinite() for value in scalars.values())
    assert trainer.gan.sample(trainer.gan.latents(2)).shape == (2, 4, 16, 16)
    for player in (trainer.gan.G, trainer.gan.D):
        assert all(weight.isfinite().all() for weight in player.net.parameters())
