"""The quicker convolutions give what torch's own give, and their gradients, to any order."""

import copy
import dataclasses

import pytest
import torch
from gankit_kernels import convolution, interleaved
from gankit_kernels.convolution import Kernel, MatrixConv2d, MatrixConvTranspose2d, quicken
from torch import nn

from gankit.assemble import build_gan
from gankit.composing import compose

LAYERS = (
    nn.Conv2d(128, 10, 4, 2, 1),
    nn.Conv2d(128, 10, 5, 2, 2),
    nn.Conv2d(128, 10, 5, 2, 0),  # the last row of places ends before the image does
    nn.Conv2d(128, 10, 3, 1, 1, bias=False),
    nn.Conv2d(128, 1, 4, 1, 0),
    nn.ConvTranspose2d(6, 128, 4, 2, 1),
    nn.ConvTranspose2d(6, 128, 4, 1, 0, bias=False),
    nn.ConvTranspose2d(6, 128, 5, 2, 2, output_padding=1),
    nn.ConvTranspose2d(6, 128, 5, 1, 0),
)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
def test_values_and_gradients_of_both_orders_are_torchs(layer, memory_format, monkeypatch):
    torch.manual_seed(0)
    torchs = copy.deepcopy(layer).double().to(memory_format=memory_format)
    ours = quicken(copy.deepcopy(torchs))
    assert isinstance(ours, MatrixConv2d | MatrixConvTranspose2d)
    side = 8 if isinstance(layer, nn.Conv2d) else 4
    x = torch.randn(3, layer.in_channels, side, side, dtype=torch.double)
    laid_out = []
    kernel = lambda *args: laid_out.append(args) or Kernel(*args)  # noqa: E731
    monkeypatch.setattr(convolution, "Kernel", kernel)
    _assert_alike(ours, torchs, x.to(memory_format=memory_format))
    assert len(laid_out) == 1


FEW_CHANNELS = (
    nn.Conv2d(3, 20, 4, 2, 1),
    nn.Conv2d(1, 20, 4, 2, 1, bias=False),
    nn.Conv2d(8, 20, 2, 2, 0),
    nn.Conv2d(3, 20, 6, 2, 2),
    nn.Conv2d(3, 20, 3, 3, 0),
    nn.ConvTranspose2d(20, 3, 4, 2, 1),
    nn.ConvTranspose2d(20, 1, 4, 2, 1, bias=False),
    nn.ConvTranspose2d(20, 8, 2, 2),
    nn.ConvTranspose2d(20, 3, 6, 2, 2),
    nn.ConvTranspose2d(20, 3, 6, 3, 1),
)


@pytest.mark.parametrize("layer", FEW_CHANNELS, ids=str)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
def test_few_channels_are_interleaved_with_torchs_values(layer, memory_format, monkeypatch):
    torch.manual_seed(0)
    torchs = copy.deepcopy(layer).double().to(memory_format=memory_format)
    ours, taken, way = quicken(copy.deepcopy(torchs)), [], interleaved._interleaved
    monkeypatch.setattr(interleaved, "_interleaved", lambda *args: taken.append(1) or way(*args))
    x = torch.randn(3, layer.in_channels, 12, 6, dtype=torch.double)
    _assert_alike(ours, torchs, x.to(memory_format=memory_format))
    assert taken


@pytest.mark.parametrize(
    ("layer", "side"),
    [
        (nn.Conv2d(9, 20, 4, 2, 1), 12),
        (nn.Conv2d(3, 20, 3, 1, 1), 12),
        (nn.Conv2d(3, 20, 5, 2, 2), 12),
        (nn.Conv2d(3, 20, 4, 2, 1), 13),
        (nn.ConvTranspose2d(20, 9, 4, 2, 1), 12),
        (nn.ConvTranspose2d(20, 3, 5, 2, 2, output_padding=1), 12),
        (nn.ConvTranspose2d(20, 3, 4, 2, 1, output_padding=1), 12),
    ],
    ids=str,
)
def test_what_cannot_be_interleaved_is_left_to_torch(layer, side, monkeypatch):
    monkeypatch.setattr(interleaved, "_interleaved", None)
    ours, x = quicken(copy.deepcopy(layer)), torch.randn(2, layer.in_channels, side, side)
    _assert_alike(ours, layer, x)


def test_a_wanted_output_size_is_left_to_torch():
    ours, x = quicken(nn.ConvTranspose2d(20, 3, 4, 2, 1)), torch.randn(2, 20, 6, 6)
    assert ours(x, output_size=(13, 13)).shape == (2, 3, 13, 13)
    assert ours(x).shape == (2, 3, 12, 12)


def test_images_that_need_no_gradient_get_none(monkeypatch):
    monkeypatch.setattr(interleaved, "_interleaved", None)
    layer = quicken(nn.Conv2d(3, 20, 4, 2, 1))
    layer(torch.randn(2, 3, 12, 12)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def _assert_alike(ours, torchs, x):
    torch.testing.assert_close(_all_gradients(ours, x), _all_gradients(torchs, x))


def _all_gradients(net, x):
    """The output, its slope at x, and the gradients of that slope's squared length."""
    x = x.detach().requires_grad_()
    out = net(x)
    (slope,) = torch.autograd.grad(out.tanh().sum(), x, create_graph=True)
    return [out, slope, *torch.autograd.grad(slope.square().sum(), [x, net.weight])]


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(64, 64, 4, groups=2),
        nn.Conv2d(64, 64, 3, dilation=2),
        nn.Conv2d(64, 64, (3, 5)),
        nn.Conv2d(64, 64, 1),
        nn.Conv2d(64, 64, 3, padding="same"),
        nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect"),
        nn.Linear(64, 64),
    ],
    ids=str,
)
def test_other_layers_stay_as_they_are(layer):
    assert type(quicken(copy.deepcopy(layer))) is type(layer)


def test_large_maps_go_the_direct_way(monkeypatch):
    asked = []
    monkeypatch.setattr(convolution._Rows, "apply", lambda *args: asked.append(args))
    layer = quicken(nn.Conv2d(256, 4, 3, padding=1))
    assert layer(torch.zeros(1, 256, 9, 9)).shape == (1, 4, 9, 9)
    assert not asked
    with pytest.raises(TypeError):  # 8 px are 1 to 32 of the channels: laid out, here by nothing
        layer(torch.zeros(1, 256, 8, 8))
    assert len(asked) == 1


def test_autocast_computes_in_bf16_and_adds_up_weights_gradients_in_float32():
    torch.manual_seed(0)
    layer = quicken(nn.Conv2d(128, 32, 4, 2, 1))
    x = torch.randn(8, 128, 8, 8)
    exact = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(x)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.02, rtol=0.02)
    rough.sum().backward()
    assert layer.weight.grad.dtype == torch.float32


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 32, 4, 2, 1),
        nn.ConvTranspose2d(32, 3, 4, 2, 1),
        nn.ConvTranspose2d(6, 512, 4, 2, 1),  # a matrix product
    ],
    ids=str,
)
def test_other_ways_follow_autocast_too(layer):
    torch.manual_seed(0)
    layer = quicken(copy.deepcopy(layer))
    x = torch.randn(8, layer.in_channels, 16, 16, requires_grad=True)
    exact = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(x)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.03, rtol=0.03)
    rough.sum().backward()
    assert x.grad.dtype == layer.weight.grad.dtype == torch.float32


def test_layers_whose_weight_is_computed_become_matrix_products_too():
    torchs = nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(6, 256, 4, 2, 1))
    ours, x = quicken(copy.deepcopy(torchs)), torch.randn(2, 6, 4, 4)
    assert isinstance(ours, MatrixConvTranspose2d)
    assert ours.state_dict().keys() == torchs.state_dict().keys()
    with torch.no_grad():
        torch.testing.assert_close(ours(x), torchs(x))
        for weights in ours.parameters():
            weights += 0.1
        assert not torch.allclose(ours(x), torchs(x))
        torch.testing.assert_close(copy.deepcopy(ours)(x), ours(x))


def test_spectral_norm_works_on_them():
    layer = quicken(nn.Conv2d(256, 32, 4, 2, 1))
    normed = nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=30)
    assert isinstance(normed, MatrixConv2d)
    assert torch.linalg.matrix_norm(normed.weight.flatten(1), 2).item() == pytest.approx(
        1, rel=0.01
    )
    assert normed(torch.zeros(1, 256, 8, 8)).shape == (1, 32, 4, 4)


@pytest.mark.parametrize(
    ("memory_format", "quick"), [("channels-last", True), ("contiguous", False)]
)
def test_a_run_has_them_unless_it_asks_for_the_contiguous_layout(registry, memory_format, quick):
    run = compose(registry, model="dcgan64", memory_format=memory_format, length="1 steps")
    gan, _ = build_gan(dataclasses.replace(run, channels=3), registry)
    kinds = {type(layer) for player in (gan.G, gan.D) for layer in player.net.modules()}
    assert (MatrixConv2d in kinds) is (memory_format == "channels-last")
    assert (nn.ConvTranspose2d in kinds) is (memory_format == "contiguous")
