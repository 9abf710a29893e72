"""The residual pair: a block by hand, the beginning, no look at neighbours, counts, settings."""

import math
from itertools import pairwise

import pytest
import torch
from gankit_modern.nets import GAIN, Block, Discriminator, Generator
from torch import nn

from gankit import GankitError, compose


def count(net):
    return sum(p.numel() for p in net.parameters())


def by_hand(maps, latent_dim=64, channels=3, blocks=1):
    """Parameters of G and D from the channels of the maps from 4x4 up."""
    body = sum(blocks * (11 * c * c + 2 * c) for c in maps)  # 1x1 and 3x3 with biases, 1x1 without
    body += sum(a * b for a, b in pairwise(maps))
    ends = 16 * channels * maps[-1]
    return body + ends + (16 + latent_dim) * maps[0], body + ends + (16 + 1) * maps[0]


@pytest.mark.parametrize(
    ("size", "maps"),
    [
        (16, (48, 24)),
        (64, (192, 96, 48, 24)),
        (128, (256, 192, 96, 48, 24)),
        (256, (256, 256, 192, 96, 48, 24)),
    ],
)
def test_counts_follow_from_the_maps(size, maps):
    with torch.device("meta"):
        assert (count(Generator(size)), count(Discriminator(size))) == by_hand(maps)
        twice = Generator(size, blocks=2), Discriminator(size, blocks=2)
    assert tuple(map(count, twice)) == by_hand(maps, blocks=2)


def test_the_docstrings_say_how_many():
    for net, at64, at128 in ((Generator, 579_984, 1_355_664), (Discriminator, 567_888, 1_339_536)):
        assert f"{at64:,}" in net.__doc__
        assert f"{at128:,}" in net.__doc__
        assert count(net(64)) == at64


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
def test_shapes_at_all_sizes(size):
    images = Generator(size, base_channels=1, latent_dim=3)(torch.randn(2, 3))
    assert images.shape == (2, 3, size, size)
    assert Discriminator(size, base_channels=1)(images).shape == (2,)


def leaky(x):
    return torch.where(x > 0, x, 0.2 * x)


def test_a_block_is_x_plus_a_change():
    block = Block(4, depth=3)
    nn.init.normal_(block.back.weight)
    nn.init.normal_(block.mix.bias)
    nn.init.normal_(block.look.bias)
    x = torch.randn(2, 4, 5, 5)
    mixed = torch.einsum("nchw,oc->nohw", x, block.mix.weight[:, :, 0, 0])
    mixed = leaky(mixed + block.mix.bias[:, None, None])
    around = torch.zeros(2, 4, 7, 7)
    around[:, :, 1:6, 1:6] = mixed
    looked = sum(
        torch.einsum(
            "nchw,oc->nohw", around[:, :, dy : dy + 5, dx : dx + 5], block.look.weight[:, :, dy, dx]
        )
        for dy in range(3)
        for dx in range(3)
    )
    looked = leaky(looked + block.look.bias[:, None, None])
    back = torch.einsum("nchw,oc->nohw", looked, block.back.weight[:, :, 0, 0])
    assert torch.allclose(block(x), x + back, atol=1e-5)


def test_blocks_change_nothing_at_first():
    x = torch.randn(2, 8, 6, 6)
    assert torch.allclose(Block(8, depth=4)(x), x, atol=1e-4)
    for net in (Generator(64), Discriminator(64)):
        blocks = [part for part in net.modules() if isinstance(part, Block)]
        assert len(blocks) == 4
        assert all(block.back.weight.abs().max() < 1e-5 for block in blocks)


def test_weights_begin_so_that_variance_stays():
    D = Discriminator(64)
    for part in D.modules():
        if isinstance(part, Block):
            fan_in, gain = part.mix.in_channels, GAIN * 4**-0.25  # four blocks
            assert part.mix.weight.std().item() == pytest.approx(gain / math.sqrt(fan_in), rel=0.1)
            want = gain / math.sqrt(9 * fan_in)
            assert part.look.weight.std().item() == pytest.approx(want, rel=0.1)
            assert not part.mix.bias.any()
            assert not part.look.bias.any()
    G = Generator(64)
    assert G.patterns.std().item() == pytest.approx(1, abs=0.1)
    raw = G.main(G.weigh(torch.randn(16, 64))[:, :, None, None] * G.patterns)
    assert 0.3 < raw.std().item() < 1.5  # in front of the tanh: neither grey nor saturated
    assert 0.02 < D(torch.tanh(raw)).std().item() < 2


def test_leaky_relu_with_this_gain_keeps_variance():
    x = torch.randn(100_000)
    assert (GAIN * leaky(x)).square().mean().item() == pytest.approx(1, abs=0.02)


def test_no_picture_depends_on_its_neighbours_even_in_training():
    G, D = Generator(16, latent_dim=5).train(), Discriminator(16).train()
    assert not any("Norm" in type(part).__name__ for net in (G, D) for part in net.modules())
    z = torch.randn(6, 5)
    images = G(z)
    assert torch.allclose(G(z[2:3]), images[2:3], atol=1e-5)
    assert torch.allclose(D(images[2:3]), D(images)[2:3], atol=1e-5)


def test_models_pair_the_relativistic_loss_with_penalties_on_both_sides(registry):
    for name in ("modern64", "modern128", "modern256"):
        run = compose(registry, model=name)
        assert run.loss == "relativistic"
        assert [trick.partition(":")[0] for trick in run.tricks] == ["r1", "r2", "ema"]
        assert (run.beta1, run.latent_dim) == (0.0, 64)


def test_spectral_norm_finds_something_to_divide(registry):
    """Its division by the largest singular value would make a weight of exactly 0 NaN."""
    D = Discriminator(16)
    for part in D.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.utils.parametrizations.spectral_norm(part)
    assert D(torch.rand(2, 3, 16, 16)).isfinite().all()


@pytest.mark.parametrize("option", ["blocks=0", "max_channels=0", "base_channels=-1"])
def test_options_of_0_are_refused(registry, option):
    with pytest.raises(GankitError, match=option.partition("=")[0]):
        registry.make("generator", f"modern:{option}", image_size=16)
