"""A network that does not fit the run: the message names the setting that would make it fit."""

import pytest
import torch
from torch import nn

from gankit import GankitError, compose, testing, train
from gankit.testing import BrokenContract


class SmallG(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 3 * 16 * 16)

    def forward(self, z):
        return self.layer(z).tanh().reshape(-1, 3, 16, 16)


class SmallD(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 1))

    def forward(self, images):
        return self.layers(images).flatten()


class ConvolutionalG(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ConvTranspose2d(8, 3, 16)

    def forward(self, z):
        return self.layer(z[:, :, None, None]).tanh()


class UnflattenedD(SmallD):
    def forward(self, images):
        return self.layers(images)


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"generator": SmallG}, ("generator 'small-g'", "latent_dim=8")),
        ({"generator": ConvolutionalG}, ("'convolutional-g'", "latent_dim=8")),
        ({"generator": SmallG, "latent_dim": 8, "image_size": 32}, ("image_size=16",)),
        ({"generator": SmallG, "latent_dim": 8, "channels": 1}, ("channels=3",)),
        ({"discriminator": SmallD, "image_size": 32}, ("'small-d'", "image_size=16")),
        ({"discriminator": UnflattenedD}, ("'unflattened-d'", "(4, 1)", ".flatten()")),
    ],
    ids=["latent", "latent of a convolution", "size of G", "channels", "size of D", "shape"],
)
def test_the_setting_is_named(here, tiny, settings, facts):
    with pytest.raises(GankitError) as error:
        train(compose(**tiny(**settings, out="mine")))
    for fact in facts:
        assert fact in str(error.value)
    assert not (here / "mine").exists()


def test_the_kit_names_the_setting_and_not_the_size_that_was_given():
    with pytest.raises(BrokenContract) as error:
        testing.check_generator(SmallG, sizes=[16])
    assert "latent_dim=8" in str(error.value)
    assert "sizes=" not in str(error.value)
    assert "--" not in str(error.value)


def test_a_tensor_of_another_kind_gets_no_advice(here, tiny):
    class Pair(SmallD):
        def forward(self, images):
            return torch.stack([super().forward(images)] * 2)

    with pytest.raises(GankitError, match=r"returns shape \(2, 4\)") as error:
        train(compose(**tiny(discriminator=Pair)))
    assert "so give" not in str(error.value)
