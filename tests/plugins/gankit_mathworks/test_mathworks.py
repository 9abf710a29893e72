"""MathWorks' networks: counts, start, paddings, heads, initial weights, settings."""

from itertools import pairwise

import pytest
import torch
from gankit_mathworks.nets import Discriminator, Generator, upsample_x2
from torch import nn

from gankit import GankitError, compose


def count(net):
    return sum(p.numel() for p in net.parameters())


def layer(kernel, wide, narrow):
    return kernel * wide * narrow + narrow


def by_hand(maps, latent_dim=100, channels=3):
    """Parameters of G and D from the channels of the maps from 4x4 up."""
    pairs = list(pairwise(maps))
    G = layer(16, latent_dim, maps[0]) + 15 * maps[0]  # a bias for each place
    G += sum(layer(25, a, b) + 2 * b for a, b in pairs) + layer(25, maps[-1], channels)
    D = layer(25, channels, maps[-1]) + sum(layer(25, b, a) + 2 * a for a, b in pairs)
    return G, D + layer(16, maps[0], 1)


def test_the_networks_are_the_published_ones_to_the_number():
    assert (count(Generator()), count(Discriminator())) == by_hand([512, 256, 128, 64])
    assert by_hand([512, 256, 128, 64]) == (5_134_339, 4_316_545)
    assert count(Generator(start="stride-2")) == 5_134_339
    assert count(Discriminator(head="dense")) == 4_316_545


def test_larger_pictures_add_blocks_up_to_the_cap():
    with torch.device("meta"):
        nets = Generator(256, base_channels=8, max_channels=50), Discriminator(128, base_channels=8)
    assert count(nets[0]) == by_hand([50, 50, 50, 32, 16, 8])[0]
    assert count(nets[1]) == by_hand([128, 64, 32, 16, 8])[1]


@pytest.mark.parametrize("start", ["uncropped", "stride-2"])
def test_maps_double_from_4_to_the_image(start):
    sizes, x = [], torch.randn(2, 100)
    G = Generator(64, base_channels=2, start=start)
    for part in G.main:
        x = part(x)
        if isinstance(part, nn.Unflatten | nn.ConvTranspose2d):
            sizes.append(x.shape[2])
    assert sizes == [4, 8, 16, 32, 64]
    strides = [m.stride[0] for m in G.main if isinstance(m, nn.ConvTranspose2d)]
    assert strides == [1 if start == "uncropped" else 2, 2, 2, 2]
    assert G.main[2].output_padding == ((0, 0) if start == "uncropped" else (1, 1))


def spread(x, w, before):
    """A transposed convolution of stride 2 in one dimension, less `before` numbers in front."""
    n = len(x)
    out = torch.zeros(2 * n + 8)
    for i in range(n):
        for k in range(5):
            out[2 * i + k] += x[i] * w[k]
    return out[before : before + 2 * n]


def test_doubling_is_that_of_matlab_and_tensorflow_in_a_mirror():
    x, w = torch.randn(6), torch.randn(5)
    convolution = upsample_x2(1, 1)
    nn.init.zeros_(convolution.bias)
    with torch.no_grad():  # the middle row only: one dimension is left
        convolution.weight.zero_()
        convolution.weight[0, 0, 2] = w
        rows = torch.zeros(1, 1, 6, 6)
        rows[0, 0, 3] = x
        ours = convolution(rows)[0, 0, 6]
    assert torch.allclose(ours, spread(x, w, before=2), atol=1e-6)
    theirs = spread(x.flip(0), w.flip(0), before=1)  # they take one away in front, two behind
    assert torch.allclose(ours, theirs.flip(0), atol=1e-6)


def test_d_halves_where_g_doubles():
    """One is the other's adjoint: <D's layer (x), y> = <x, G's layer (y)> for the same weights."""
    up, down = upsample_x2(3, 2), Discriminator(16, channels=2, base_channels=3).main[0]
    assert (down.kernel_size, down.stride, down.padding) == ((5, 5), (2, 2), (2, 2))
    with torch.no_grad():
        up.bias.zero_()
        down.bias.zero_()
        up.weight.copy_(down.weight)
        x, y = torch.randn(1, 2, 16, 16), torch.randn(1, 3, 8, 8)
        assert torch.allclose((down(x) * y).sum(), (x * up(y)).sum(), rtol=1e-4)


def test_the_dense_head_and_the_conv_head_are_the_same_function():
    conv, dense = Discriminator(16, head="conv"), Discriminator(16, head="dense")
    weights = conv.state_dict()
    names = dict(zip(weights, dense.state_dict(), strict=True))  # the head sits one further down
    shapes = {name: value.shape for name, value in dense.state_dict().items()}
    same = {names[key]: value.reshape(shapes[names[key]]) for key, value in weights.items()}
    dense.load_state_dict(same)
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    assert torch.allclose(conv(images), dense(images), atol=1e-6)


def test_weights_begin_as_published():
    for net in (Generator(), Discriminator(), Discriminator(head="dense")):
        for part in net.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                assert part.weight.std().item() == pytest.approx(0.02, rel=0.05)
                assert abs(part.weight.mean().item()) < 1e-3
                assert not part.bias.any()


def test_d_has_batch_norm_on_all_but_the_first_layer():
    names = [type(part).__name__ for part in Discriminator().main]
    again = ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert names == ["Conv2d", "LeakyReLU", *again, *again, *again, "Conv2d"]


@pytest.mark.parametrize("text", ["mathworks:start=cropped", "mathworks:start=2-stride"])
def test_a_start_that_does_not_exist_is_refused(registry, text):
    with pytest.raises(GankitError, match="start .*uncropped.*stride-2"):
        registry.make("generator", text, image_size=16)
    with pytest.raises(GankitError, match="head .*conv.*dense"):
        registry.make("discriminator", "mathworks:head=flat", image_size=16)


def test_settings_are_those_of_the_projects(registry):
    runs = {n: compose(registry, model=n) for n in ("mathworks64", "flowergan64")}
    runs["keras"] = compose(registry, model="flowers-keras64:head=conv", batch_size=64)
    for run in runs.values():
        assert (run.lr_g, run.lr_d, run.beta1, run.beta2) == (2e-4, 2e-4, 0.5, 0.999)
        assert (run.length, run.image_size) == ("500 epochs", 64)
    assert runs["mathworks64"].tricks == ("dropout-d", "flip-labels")
    assert runs["flowergan64"].tricks == ("noisy-d", "flip-labels")
    assert runs["keras"].tricks == ("dropout-d",)
    assert (runs["mathworks64"].batch_size, runs["keras"].batch_size) == (128, 64)
    assert runs["keras"].generator == "mathworks:start=stride-2"
    assert runs["keras"].discriminator == "mathworks:head=conv"
    assert registry.make("trick", "dropout-d").p == 0.5
    assert registry.make("trick", "flip-labels").p == 0.35
