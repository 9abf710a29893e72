"""DCGAN's networks at every size, and the recipes for art that use them."""

from itertools import pairwise

import pytest
import torch
from gankit_dcgan import nets
from gankit_dcgan.skip import Generator

from gankit import compose


def layers(*numbers, kernel=16):
    """Weights of convolutions without biases between maps of so many channels."""
    return sum(kernel * a * b for a, b in pairwise(numbers))


def counts(registry, model):
    """Parameters of G and D of a model, without the memory for them."""
    spec, networks = registry.networks(model)
    sizes = {"image_size": spec.image_size, "channels": 3, "latent_dim": 100}
    with torch.device("meta"):
        nets = [registry.make(kind, text, **sizes) for kind, text in networks.items()]
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


def test_skip64_has_what_its_docstring_says(registry):
    assert counts(registry, "skip64")[0] == 529_104


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


def skip_g(image_size=64, **options):
    torch.manual_seed(0)
    return Generator(image_size, base_channels=16, **options)


def test_a_picture_is_the_sum_of_what_its_maps_paint():
    """Each map's share, by hand: a convolution, enlarged to the whole picture's size."""
    G, z = skip_g().eval(), torch.randn(2, 100)
    shares = []
    with torch.no_grad():
        x = G.first(z[:, :, None, None])
        for number, (up, paint) in enumerate(zip(G.ups, G.paints, strict=True)):
            x = up(x)
            k = paint.kernel_size[0]
            places = torch.nn.functional.pad(x, 4 * (k // 2,)).unfold(2, k, 1).unfold(3, k, 1)
            share = torch.einsum("ncijyx,ocyx->noij", places, paint.weight)
            share = share + paint.bias[:, None, None]
            for _ in range(len(G.ups) - 1 - number):
                share = torch.nn.functional.interpolate(share, scale_factor=2, mode="bilinear")
            shares.append(share)
        torch.testing.assert_close(G(z), torch.tanh(sum(shares)))
    assert all(share.abs().max() > 0 for share in shares)


def test_upsampling_begins_bilinear_with_weights_as_large_as_dcgans():
    G, x = skip_g(), torch.randn(1, 32, 8, 8)
    layer = G.ups[2][0]  # 32 -> 16 channels
    with torch.no_grad():
        mixed = layer.weight[:, :, 1, 1] / 9 * 16  # of the kernel 1 3 3 1 times itself, over 16
        enlarged = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
        inside = (..., slice(2, -2), slice(2, -2))  # at the border, nothing lies outside
        by_hand = torch.einsum("ncij,co->noij", enlarged, mixed)
        torch.testing.assert_close(layer(x)[inside], by_hand[inside])
    assert layer.weight.square().mean().sqrt().item() == pytest.approx(0.02, rel=0.1)


def test_enlarging_is_nearest_neighbours_and_a_convolution_whatever_it_learns():
    layer, x = skip_g().ups[2][0], torch.randn(2, 32, 8, 8)
    kernels = layer.parametrizations.weight.original  # (32, 16, 3, 3)
    with torch.no_grad():
        kernels.normal_()
        nearest = torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")
        by_hand = torch.nn.functional.conv2d(nearest, kernels.transpose(0, 1).flip(2, 3), padding=1)
        torch.testing.assert_close(layer(x), by_hand, rtol=1e-4, atol=1e-3)
        even = layer(x[:, :, :1, :1].expand(-1, -1, 8, 8))[:, :, 1:-1, 1:-1]  # no grid in it
        torch.testing.assert_close(even, even[:, :, :1, :1].expand_as(even), rtol=1e-4, atol=1e-3)


def test_kernels_that_are_set_become_the_nearest_that_enlarge():
    layer, wanted = skip_g().ups[2][0], torch.randn(32, 16, 4, 4)
    with torch.no_grad():
        layer.weight = wanted
        free = torch.linalg.lstsq(  # of the 16 numbers, 9 are free
            layer.parametrizations.weight[0].spread.T, wanted.flatten(2).flatten(0, 1).T
        ).solution
        found = layer.parametrizations.weight.original.flatten(2).flatten(0, 1).T
    torch.testing.assert_close(found, free, rtol=1e-3, atol=1e-4)


def test_a_fresh_skip_g_has_no_grid_where_dcgan_has_one():
    """A grid of 2 px: steps to the right that turn back at once."""
    turning = []
    for G in (skip_g(), nets.Generator(base_channels=16)):
        with torch.no_grad():
            steps = G(torch.randn(16, 100)).diff(dim=3)
        turning.append((steps[..., 1:] * steps[..., :-1] < 0).float().mean().item())
    assert turning[0] < 0.35 < 0.6 < turning[1]


@pytest.mark.parametrize("size", [16, 64, 128, 256])
def test_skip_models_make_pictures_of_their_size(size):
    images = skip_g(size, max_channels=32)(torch.randn(2, 100))
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1
