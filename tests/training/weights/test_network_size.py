"""Which networks make pictures that are not square, and what they are given."""

import math

import pytest
from torch import nn

from gankit import GankitError, compose, testing
from gankit.core.parts.registry import registry_of
from gankit.core.run.image_size import ImageSize
from gankit.data.prepare import prepare
from gankit.testing import BrokenContract
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.weights.network_size import network_size


class AnyG(nn.Module):
    """A generator that takes a side, or (height, width)."""

    def __init__(self, image_size: int | tuple[int, int], channels: int, latent_dim: int):
        super().__init__()
        pair = image_size if isinstance(image_size, tuple) else (image_size, image_size)
        self.shape = (channels, *pair)
        self.layer = nn.Linear(latent_dim, math.prod(self.shape))

    def forward(self, z):
        return self.layer(z).tanh().reshape(-1, *self.shape)


class SquareG(AnyG):
    def __init__(self, image_size: int, channels: int, latent_dim: int):
        super().__init__(image_size, channels, latent_dim)


class TransposedG(AnyG):
    """It takes the pair the wrong way round."""

    def __init__(self, image_size: int | tuple[int, int], channels: int, latent_dim: int):
        pair = image_size[::-1] if isinstance(image_size, tuple) else image_size
        super().__init__(pair, channels, latent_dim)


class AnyD(nn.Sequential):
    """A discriminator of pictures of any size."""

    def __init__(self, channels: int):
        super().__init__(
            nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 1, 1), nn.Flatten(0)
        )


NETWORKS = ("dcgan", "dcgan-skip", "light", "mathworks", "modern", "tf-dcgan")


def test_squares_are_given_as_an_int_and_others_as_height_and_width(registry):
    for name in NETWORKS:
        assert network_size(registry, "generator", registry.check("generator", name),
                            ImageSize(64, 64)) == 64  # fmt: skip
        assert network_size(registry, "generator", registry.check("generator", name),
                            ImageSize(width=96, height=64)) == (64, 96)  # fmt: skip


def test_a_network_that_takes_a_side_is_refused_and_others_are_named(registry, tiny):
    with pytest.raises(GankitError) as error:
        compose(registry, **tiny(generator=SquareG, image_size="24x16"))
    line = str(error.value)
    assert "'square-g'" in line
    assert "makes square pictures only" in line
    assert "24x16" in line
    assert [name for name in NETWORKS if name not in line] == []
    compose(registry, **tiny(generator=SquareG, image_size=16))


def trainer(registry, settings):
    """The trainer of a run that may have objects."""
    run = compose(registry, **settings)
    registry = registry_of(run, registry)
    prepared = prepare(run, registry)
    return assemble(resolve_auto(run, prepared), registry, prepared)


def test_one_that_says_so_and_one_that_needs_no_size_train(registry, tiny):
    settings = tiny(image_size="12x20", generator=AnyG, discriminator=AnyD, tricks="none")
    trained = trainer(registry, settings)
    trained.step(0)
    assert trained.gan.sample(trained.gan.latents(2)).shape == (2, 3, 20, 12)


def test_the_conformance_kit_tries_both_shapes():
    testing.check_generator(AnyG, sizes=[16])
    with pytest.raises(BrokenContract, match="24x16|16x24"):
        testing.check_generator(TransposedG, sizes=[16])


@pytest.mark.parametrize("other", ["16x24", 20])
def test_the_shape_of_a_network_is_named(registry, tiny, other):
    """An object's size is its own."""
    settings = tiny(image_size=other, generator=AnyG((16, 12), 3, 100), discriminator=AnyD)
    with pytest.raises(GankitError, match=f"image_size is {other}, so give --image-size 12x16"):
        trainer(registry, settings)
