"""TensorFlow's tutorial, stretched: counts, dropout, no batch norm in D, Keras' initial weights."""

import math
from itertools import pairwise

import pytest
import torch
from gankit_tfdcgan.nets import Discriminator, Generator
from torch import nn

from gankit import GankitError, compose


def count(net):
    return sum(p.numel() for p in net.parameters())


def by_hand(g_maps, d_maps, latent_dim=100):
    """G from the maps 8x8, 8x8, 16x16, ... with batch norm, no biases; D with biases, none."""
    G = latent_dim * 64 * g_maps[0] + 2 * 64 * g_maps[0]  # batch norm for each place, as in Keras
    G += sum(25 * a * b + 2 * b for a, b in pairwise(g_maps))
    D = sum(25 * a * b + b for a, b in pairwise((3, *d_maps)))
    return G + 25 * g_maps[-1] * 3, D + 64 * d_maps[-1] + 1


def test_counts_follow_from_the_maps():
    at64 = by_hand((256, 128, 64, 32), (64, 128, 256))
    at128 = by_hand((512, 256, 128, 64, 32), (64, 128, 256, 512))
    assert (count(Generator(64)), count(Discriminator(64))) == at64 == (2_749_216, 1_045_633)
    assert (count(Generator(128)), count(Discriminator(128))) == at128 == (7_697_696, 4_339_329)


@pytest.mark.parametrize(("size", "start"), [(64, (256, 8, 8)), (128, (512, 8, 8))])
def test_g_starts_from_a_dense_8x8_map(size, start):
    G = Generator(size)
    assert G.main[3].unflattened_size == start
    strides = [part.stride[0] for part in G.main if isinstance(part, nn.ConvTranspose2d)]
    assert strides == [1, 2, 2, 2] + [2] * (size == 128)
    slopes = [part.negative_slope for part in G.main if isinstance(part, nn.LeakyReLU)]
    assert set(slopes) == {0.3}
    assert len(slopes) == len(strides)


@pytest.mark.parametrize("size", [16, 64, 128, 256])
def test_shapes_at_all_sizes(size):
    images = Generator(size, base_channels=1, latent_dim=3)(torch.randn(2, 3))
    assert images.shape == (2, 3, size, size)
    D = Discriminator(size, base_channels=1)
    *body, head = D.main
    assert nn.Sequential(*body)(images).shape == (2, 64 * size // 16)  # 8x8 maps, flat
    assert D(images).shape == (2,)
    assert head.out_features == 1


def test_d_has_no_batch_norm_and_drops_in_training_only():
    D = Discriminator(16, base_channels=64)
    assert not any("Norm" in type(part).__name__ for part in D.modules())
    images = torch.rand(16, 3, 16, 16)
    assert not torch.equal(D(images), D(images))
    seen = []
    D.main[2].register_forward_hook(lambda part, given, out: seen.append(out))
    D(images)
    assert (seen.pop() == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    D.eval()
    assert torch.equal(D(images), D(images))
    assert (seen.pop() != 0).all()
    off = Discriminator(16, dropout=0.0)
    assert torch.equal(off(images), off(images))


def test_weights_begin_as_in_keras():
    for net, dense in ((Generator(16), (100, 64 * 64)), (Discriminator(16), (64 * 64, 1))):
        (linear,) = [part for part in net.modules() if isinstance(part, nn.Linear)]
        limit = math.sqrt(6 / sum(dense))
        assert linear.weight.abs().max().item() == pytest.approx(limit, rel=0.01)
        for part in net.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                limit = math.sqrt(6 / (25 * (part.in_channels + part.out_channels)))
                assert part.weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.05)
                assert part.weight.abs().max() <= limit
                assert part.bias is None or not part.bias.any()


def test_batch_norm_is_that_of_keras():
    norms = [part for part in Generator(16).modules() if "BatchNorm" in type(part).__name__]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}


@pytest.mark.parametrize("dropout", [1.0, -0.1])
def test_dropout_out_of_range_is_refused(registry, dropout):
    with pytest.raises(GankitError, match="dropout"):
        registry.make("discriminator", f"tf-dcgan:dropout={dropout}", image_size=16)


@pytest.mark.parametrize("name", ["tf-dcgan64", "tf-dcgan128"])
def test_settings_are_those_of_the_tutorial(registry, name):
    run = compose(registry, model=name)
    assert (run.batch_size, run.lr_g, run.lr_d, run.beta1) == (256, 1e-4, 1e-4, 0.9)
    assert run.tricks == ()


@pytest.mark.parametrize("pieces", [(), ("--batch-size", "2", "--accumulate", "2")])
def test_one_picture_at_a_time_is_refused(gankit_run, pieces):
    code, _, err = gankit_run("--model", "tf-dcgan64", *(pieces or ("--batch-size", "1")))
    for fact in ("generator 'tf-dcgan'", "--batch-size"):
        assert fact in err
    assert (code, err.count("\n")) == (2, 1)
