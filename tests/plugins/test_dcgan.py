"""DCGAN's networks at every size, and the recipes for art that use them."""

from itertools import pairwise

import pytest
import torch

from gankit import compose


def layers(*numbers, kernel=16):
    """Weights of convolutions without biases between maps of so many channels."""
    return sum(kernel * a * b for a, b in pairwise(numbers))


def counts(registry, model):
    """Parameters of G and D of a model, without the memory for them."""
    spec, *networks = registry.networks(model)
    sizes = {"image_size": spec.image_size, "channels": 3, "latent_dim": 100}
    with torch.device("meta"):
        nets = [
            registry.make(kind, text, **sizes)
            for kind, text in zip(("generator", "discriminator"), networks, strict=True)
        ]
    return tuple(sum(p.numel() for p in net.parameters()) for net in nets)


def expected(*maps):
    """The same by hand, from the channels of the maps from 4x4 up; batch norm has two numbers."""
    G = layers(100, *maps, 3) + 2 * sum(maps)
    D = layers(3, *reversed(maps), 1) + 2 * sum(maps[:-1])
    return G, D


@pytest.mark.parametrize(
    ("model", "maps"),
    [
        ("dcgan64", (512, 256, 128, 64)),
        ("dcgan128", (512, 512, 256, 128, 64)),
        ("dcgan128:max_channels=1024", (1024, 512, 256, 128, 64)),
        ("dcgan256", (512, 512, 256, 128, 64, 32)),
        ("dcgan256:base_channels=64,max_channels=2048", (2048, 1024, 512, 256, 128, 64)),
        ("art64", (512, 256, 128, 64)),
        ("art128", (1024, 512, 256, 128, 64)),
        ("art256", (512, 512, 512, 256, 128, 64)),
        ("art256:max_channels=2048", (2048, 1024, 512, 256, 128, 64)),
    ],
)
def test_models_have_the_weights_that_their_maps_need(registry, model, maps):
    assert counts(registry, model) == expected(*maps)


def test_the_formula_gives_the_published_numbers():
    assert expected(512, 256, 128, 64) == (3_576_704, 2_765_568)
    assert [round(n / 1e6, 1) for n in expected(1024, 512, 256, 128, 64)] == [12.8, 11.2]
    assert [round(n / 1e6) for n in expected(2048, 1024, 512, 256, 128, 64)] == [48, 45]


def test_g_stays_below_ten_million_weights_up_to_256_px(registry):
    for size in (64, 128, 256):
        assert max(counts(registry, f"dcgan{size}")) < 10e6


def test_art_dcgan_has_a_wide_g_and_a_narrow_d(registry):
    G, _ = expected(*(160 * n for n in (16, 8, 4, 2, 1)))
    _, D = expected(*(40 * n for n in (16, 8, 4, 2, 1)))
    assert counts(registry, "art-dcgan128") == (G, D)


@pytest.mark.parametrize("name", ["art64", "art128", "art256"])
def test_the_art_recipe_slows_d_down(registry, name):
    run = compose(registry, model=name)
    assert (run.lr_g, run.lr_d, run.batch_size, run.beta1) == (2e-4, 5e-5, 64, 0.5)
    assert run.tricks == ()
