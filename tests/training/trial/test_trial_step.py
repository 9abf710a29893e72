"""`train` from Python tries objects before it makes the run's folder, as `gankit run` does."""

import pytest
import torch
from torch import nn

from gankit import GankitError, Trick, compose, train

SIZE = 16


class ViewD(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 4, 2, 1)
        self.last = nn.Linear(4 * 8 * 8, 1)

    def forward(self, images):
        features = self.first(images)
        return self.last(features.view(len(images), -1)).flatten()


class Brighten(Trick):
    def d_input(self, images, gan):
        images += 0.1
        return images


class GlobalNoise(Trick):
    def d_input(self, images, gan):
        return images + 0.1 * torch.randn(1)


def test_a_d_that_needs_contiguous_images_is_refused_before_the_folder_is_made(here, tiny):
    with pytest.raises(GankitError) as error:
        train(compose(**tiny(discriminator=ViewD, out="mine")))
    assert error.value.exit_code == 2
    for fact in ("discriminator 'view-d'", "channels-last", ".reshape"):
        assert fact in str(error.value)
    assert not (here / "mine").exists()


def test_a_trick_that_changes_images_in_place_is_refused_before_the_folder_is_made(here, tiny):
    with pytest.raises(GankitError, match=r"trick 'brighten'.*in place"):
        train(compose(**tiny(tricks=[Brighten()], out="mine")))
    assert not (here / "mine").exists()


def test_a_trick_with_global_random_numbers_is_warned_of(here, tiny, caplog):
    train(compose(**tiny(tricks=[GlobalNoise()])))
    assert [r.getMessage() for r in caplog.records if "gan.draw" in r.getMessage()]
