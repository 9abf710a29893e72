"""Fast convolutions equal torch's own, with gradients of any order."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from gankit.compute import conv_autograd
from gankit.compute.algorithms import (
    DIRECT,
    MATMUL,
    PACKED,
    SUBPIXEL,
    ConvAlgorithms,
    choose_algorithms,
    packed_group,
)
from gankit.compute.convolution import (
    FastConv2d,
    FastConvTranspose2d,
    count_fast_layers,
    use_fast_convolutions,
    wants_fast_convolutions,
)
from gankit.compute.geometry import ConvGeometry
from gankit.core.parts.hookspecs import hookimpl
from gankit.core.parts.registry import load_registry
from gankit.core.parts.specs import DiscriminatorSpec, GeneratorSpec
from gankit.training.assemble import build_gan
from gankit.training.settings.compose import compose

PASSES = ("_compute_images", "_compute_maps", "_compute_weight")
LAYERS = (
    nn.Conv2d(9, 10, 4, 2, 1),
    nn.Conv2d(9, 10, 5, 2, 2),
    nn.Conv2d(9, 10, 5, 2, 0),  # the last kernel position ends before the image does
    nn.Conv2d(9, 10, 3, 1, 1, bias=False),
    nn.Conv2d(9, 10, 2, 3, 0),  # no kernel position reaches some pixels
    nn.Conv2d(9, 1, 4, 1, 0),
    nn.ConvTranspose2d(6, 9, 4, 2, 1),
    nn.ConvTranspose2d(6, 9, 4, 1, 0, bias=False),
    nn.ConvTranspose2d(6, 9, 5, 2, 2, output_padding=1),
    nn.ConvTranspose2d(6, 9, 5, 1, 0),
)


@pytest.mark.parametrize("algorithm", [DIRECT, MATMUL, PACKED])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
def test_values_and_gradients_of_both_orders_are_torchs(
    layer, algorithm, memory_format, monkeypatch
):
    torch.manual_seed(0)
    _force_algorithm(monkeypatch, algorithm)
    torch_net = copy.deepcopy(layer).double().to(memory_format=memory_format)
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net))
    assert isinstance(fast_net, FastConv2d | FastConvTranspose2d)
    calls = _record_calls(monkeypatch)
    height, width = (8, 6) if isinstance(layer, nn.Conv2d) else (4, 3)
    x = torch.randn(6, layer.in_channels, height, width, dtype=torch.double)
    _assert_equal(fast_net, torch_net, x.to(memory_format=memory_format))
    assert set(calls) == set(PASSES)


def _force_algorithm(monkeypatch, algorithm):
    monkeypatch.setattr(
        conv_autograd,
        "choose_algorithms",
        lambda *args: ConvAlgorithms(algorithm, algorithm, algorithm),
    )
    monkeypatch.setattr(
        "gankit.compute.convolution.is_faster", lambda *args, needs_images=True: True
    )


@pytest.mark.parametrize("algorithm", [DIRECT, MATMUL, PACKED])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_bf16_equals_float32_roughly(kind, algorithm, monkeypatch):
    torch.manual_seed(0)
    _force_algorithm(monkeypatch, algorithm)
    torch_net = kind(32, 32, 4, 2, 1, bias=False).to(memory_format=torch.channels_last)
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net)).bfloat16()
    x = torch.randn(6, 32, 8, 8, requires_grad=True)
    out = torch_net(x)
    exact = [out, *torch.autograd.grad(out.square().sum(), [x, torch_net.weight])]
    out = fast_net(x.bfloat16())
    rough = [out, *torch.autograd.grad(out.square().sum(), [x, fast_net.weight])]
    for in_bf16, in_float32 in zip(rough, exact, strict=True):
        assert (in_bf16.float() - in_float32).abs().max() < 0.03 * in_float32.abs().max()


@pytest.mark.parametrize("algorithm", [DIRECT, MATMUL, PACKED, SUBPIXEL])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_activations_may_work_in_place(kind, algorithm, monkeypatch):
    _force_algorithm(
        monkeypatch, DIRECT if kind is nn.Conv2d and algorithm == SUBPIXEL else algorithm
    )
    channels = (20, 3) if kind is nn.ConvTranspose2d else (3, 20)
    torch_net = nn.Sequential(kind(*channels, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True))
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net))
    x = torch.randn(2, channels[0], 8, 8)
    for net in (fast_net, torch_net):
        net(x).square().sum().backward()
    torch.testing.assert_close(fast_net[0].weight.grad, torch_net[0].weight.grad)


def test_gradients_under_autocast_have_the_precision_of_forward():
    torch_net = nn.Conv2d(256, 32, 4, 2, 1)
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net))
    x = torch.randn(2, 256, 8, 8)
    for net in (fast_net, torch_net):
        loss = net(x).square().sum()
        with torch.autocast("cpu", torch.bfloat16):
            loss.backward()
    difference = (fast_net.weight.grad - torch_net.weight.grad).abs().max()
    assert difference < 1e-4 * torch_net.weight.grad.abs().max()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.uint8])
def test_a_dtype_other_than_the_weights_is_refused(dtype):
    with pytest.raises(RuntimeError, match=r"type|dtype"):
        use_fast_convolutions(nn.Conv2d(256, 32, 4, 2, 1))(torch.zeros(2, 256, 8, 8, dtype=dtype))


def test_autocast_does_not_change_float64():
    layer = use_fast_convolutions(nn.Conv2d(256, 32, 4, 2, 1).double())
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.zeros(2, 256, 8, 8).double()).dtype == torch.float64


def _record_calls(monkeypatch, names=PASSES):
    """Record calls of these functions of conv_autograd, by name."""
    calls = []

    def record(name, function):
        monkeypatch.setattr(
            conv_autograd, name, lambda *args: calls.append(name) or function(*args)
        )

    for name in names:
        record(name, getattr(conv_autograd, name))
    return calls


@pytest.mark.parametrize("size", [2, 4], ids=["bf16", "float32"])
@pytest.mark.parametrize(
    ("layer", "side", "count", "in_16_bits", "in_32_bits"),
    [  # each with images, maps and weight, in 16 and in 32 bits
        ((256, 512, 4, 2, 1), 8, 64, (MATMUL, PACKED, MATMUL), (PACKED, PACKED, MATMUL)),
        ((256, 512, 4, 2, 1), 8, 1, (MATMUL, MATMUL, MATMUL), (MATMUL, MATMUL, MATMUL)),
        ((128, 256, 4, 2, 1), 16, 64, (DIRECT, DIRECT, PACKED), (DIRECT, DIRECT, DIRECT)),
        ((256, 512, 4, 2, 1), 16, 16, (MATMUL, PACKED, MATMUL), (DIRECT, DIRECT, MATMUL)),
        ((64, 128, 4, 2, 1), 32, 64, (DIRECT, DIRECT, DIRECT), (DIRECT, DIRECT, DIRECT)),
        ((3, 64, 4, 2, 1), 64, 64, (DIRECT, DIRECT, DIRECT), (SUBPIXEL, DIRECT, DIRECT)),
        ((3, 64, 4, 2, 1), 256, 64, (DIRECT, DIRECT, DIRECT), (SUBPIXEL, DIRECT, DIRECT)),
        ((512, 1, 4, 1, 0), 4, 64, (MATMUL, MATMUL, MATMUL), (MATMUL, MATMUL, MATMUL)),
        ((16, 32, 4, 2, 1), 8, 64, (DIRECT, DIRECT, DIRECT), (DIRECT, DIRECT, DIRECT)),
        ((256, 512, 4, 2, 1), 1, 64, (DIRECT, DIRECT, DIRECT), (DIRECT, DIRECT, DIRECT)),
        ((256, 512, 2, 8, 3), 1, 64, (DIRECT, DIRECT, DIRECT), (DIRECT, DIRECT, DIRECT)),
    ],
)
def test_the_algorithm_depends_on_the_outputs_and_the_weights(
    layer, side, count, in_16_bits, in_32_bits, size
):
    channels, maps, k, stride, padding = layer
    geometry = ConvGeometry(k, stride, padding, side, side)
    algorithms = choose_algorithms(geometry, count, size, torch.Size((maps, channels, k, k)))
    assert algorithms == (in_16_bits if size == 2 else in_32_bits)


@pytest.mark.parametrize("count", [1, 7, 12, 64, 100])
def test_images_are_packed_until_rows_are_long(count):
    group = packed_group(ConvGeometry(4, 2, 1, 8, 8), count, 4)
    assert count % group == 0
    assert group == count or group * 4 >= 64


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
def test_few_channels_use_subpixels_and_equal_torchs(layer, memory_format, monkeypatch):
    torch.manual_seed(0)
    torch_net = copy.deepcopy(layer).double().to(memory_format=memory_format)
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net))
    calls = _record_calls(monkeypatch, ["conv_transpose2d_by_subpixels"])
    x = torch.randn(3, layer.in_channels, 12, 6, dtype=torch.double)
    _assert_equal(fast_net, torch_net, x.to(memory_format=memory_format))
    assert calls


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
def test_torchs_algorithm_is_used_where_the_stride_does_not_divide(layer, side, monkeypatch):
    monkeypatch.setattr(conv_autograd, "conv_transpose2d_by_subpixels", None)
    fast_net = use_fast_convolutions(copy.deepcopy(layer))
    x = torch.randn(2, layer.in_channels, side, side)
    _assert_equal(fast_net, layer, x)


def test_torchs_algorithm_is_used_for_an_output_size():
    fast_net = use_fast_convolutions(nn.ConvTranspose2d(20, 3, 4, 2, 1))
    x = torch.randn(2, 20, 6, 6)
    assert fast_net(x, output_size=(13, 13)).shape == (2, 3, 13, 13)
    assert fast_net(x).shape == (2, 3, 12, 12)


def test_images_that_need_no_gradient_get_none(monkeypatch):
    monkeypatch.setattr(conv_autograd, "conv_transpose2d_by_subpixels", None)
    layer = use_fast_convolutions(nn.Conv2d(3, 20, 4, 2, 1))
    layer(torch.randn(2, 3, 12, 12)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def _assert_equal(fast_net, torch_net, x):
    torch.testing.assert_close(_all_gradients(fast_net, x), _all_gradients(torch_net, x))


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
        nn.ConvTranspose2d(64, 64, 4, output_padding=1),
        nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect"),
        nn.Linear(64, 64),
    ],
    ids=str,
)
def test_unsupported_layers_are_not_replaced(layer):
    assert type(use_fast_convolutions(copy.deepcopy(layer))) is type(layer)


def test_torchs_algorithm_is_used_where_no_other_is_faster(monkeypatch):
    calls = _record_calls(monkeypatch)
    layer = use_fast_convolutions(nn.Conv2d(256, 4, 3, padding=1))
    assert layer(torch.zeros(1, 256, 9, 9)).shape == (1, 4, 9, 9)
    assert layer(torch.zeros(256, 7, 7)).shape == (4, 7, 7)  # without a batch dimension
    assert not calls
    assert layer(torch.zeros(1, 256, 7, 7)).shape == (1, 4, 7, 7)
    assert calls == ["_compute_maps"]


@pytest.mark.parametrize("layer", [nn.Conv2d(256, 4, 4, 2, 1), nn.ConvTranspose2d(4, 256, 4, 2, 1)])
def test_an_empty_batch_gives_an_empty_batch(layer):
    assert len(use_fast_convolutions(layer)(torch.zeros(0, layer.in_channels, 8, 8))) == 0


@pytest.mark.parametrize("layer", [nn.Conv2d(256, 4, 4), nn.ConvTranspose2d(4, 256, 2, 1, 3)])
def test_a_kernel_that_does_not_fit_is_refused_as_by_torch(layer):
    with pytest.raises(RuntimeError, match="size"):
        use_fast_convolutions(layer)(torch.zeros(1, layer.in_channels, 3, 3))


def test_autocast_computes_in_bf16_and_adds_up_weights_gradients_in_float32():
    torch.manual_seed(0)
    layer = use_fast_convolutions(nn.Conv2d(128, 32, 4, 2, 1))
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
        nn.Conv2d(128, 32, 4, 2, 1),  # its weight packed
    ],
    ids=str,
)
def test_other_algorithms_follow_autocast_too(layer):
    torch.manual_seed(0)
    layer = use_fast_convolutions(copy.deepcopy(layer))
    x = torch.randn(8, layer.in_channels, 16, 16, requires_grad=True)
    exact = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(x)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.03, rtol=0.03)
    rough.sum().backward()
    assert x.grad.dtype == layer.weight.grad.dtype == torch.float32


def test_parametrized_layers_are_replaced_too():
    torch_net = nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(6, 256, 4, 2, 1))
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net))
    x = torch.randn(2, 6, 4, 4)
    assert isinstance(fast_net, FastConvTranspose2d)
    assert fast_net.state_dict().keys() == torch_net.state_dict().keys()
    with torch.no_grad():
        torch.testing.assert_close(fast_net(x), torch_net(x))
        for weights in fast_net.parameters():
            weights += 0.1
        assert not torch.allclose(fast_net(x), torch_net(x))
        torch.testing.assert_close(copy.deepcopy(fast_net)(x), fast_net(x))


@pytest.mark.parametrize("side", [8, 32])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_parametrized_weight_is_computed_once(kind, side):
    """Spectral norm updates its estimate each time its weight is read."""
    torch.manual_seed(0)
    torch_net = nn.utils.parametrizations.spectral_norm(kind(256, 32, 4, 2, 1))
    fast_net = use_fast_convolutions(copy.deepcopy(torch_net))
    x = torch.randn(1, 256, side, side)
    for _ in range(2):
        torch.testing.assert_close(fast_net(x), torch_net(x))
    torch.testing.assert_close(fast_net.state_dict(), torch_net.state_dict())


def test_spectral_norm_works_on_them():
    torch.manual_seed(0)
    layer = use_fast_convolutions(nn.Conv2d(256, 32, 4, 2, 1))
    normed = nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=100)
    assert isinstance(normed, FastConv2d)
    assert torch.linalg.matrix_norm(normed.weight.flatten(1), 2).item() == pytest.approx(
        1, rel=0.01
    )
    assert normed(torch.zeros(1, 256, 8, 8)).shape == (1, 32, 4, 4)


class OtherPlugin:
    """A plugin of another package, with the networks of gankit's DCGAN under another name."""

    @staticmethod
    @hookimpl
    def register_generators(register):
        build = "gankit_dcgan.nets:Generator"
        register(GeneratorSpec(name="other", summary="G", source="a test", build=build))

    @staticmethod
    @hookimpl
    def register_discriminators(register):
        build = "gankit_dcgan.nets:Discriminator"
        register(DiscriminatorSpec(name="other", summary="D", source="a test", build=build))


@pytest.fixture
def with_other():
    registry = load_registry()
    assert not registry.load("other", OtherPlugin).error
    return registry


def _fast_layers(registry, **settings):
    """Whether G and D of a run have fast layers; each has as many as can be, or none."""
    run = compose(registry, **TINY_NETWORKS, **settings)
    gan, _ = build_gan(dataclasses.replace(run, channels=3), registry)
    fast = []
    for player in (gan.G, gan.D):
        fast_layers, layers = count_fast_layers(player.net)
        assert fast_layers in (0, layers)
        fast.append(fast_layers > 0)
    return tuple(fast)


TINY_NETWORKS = {"model": "dcgan64:base_channels=4", "image_size": 16, "device": "cpu"}


@pytest.mark.parametrize("memory_format", ["channels-last", "contiguous"])
@pytest.mark.parametrize("networks", [{}, {"generator": "other"}, {"discriminator": "other"}])
def test_convolutions_of_a_run(with_other, memory_format, networks):
    settings = {"memory_format": memory_format, **networks}
    bundled = ("generator" not in networks, "discriminator" not in networks)
    assert _fast_layers(with_other, **settings) == bundled
    assert _fast_layers(with_other, **settings, convolutions="auto") == bundled
    assert _fast_layers(with_other, **settings, convolutions="fast") == (True, True)
    assert _fast_layers(with_other, **settings, convolutions="plain") == (False, False)


def test_no_layer_of_another_plugins_network_changes_its_class(with_other):
    run = compose(with_other, **TINY_NETWORKS, generator="other", discriminator="other")
    gan, _ = build_gan(dataclasses.replace(run, channels=3), with_other)
    layers = [module for player in (gan.G, gan.D) for module in player.net.modules()]
    assert {type(layer) for layer in layers if isinstance(layer, nn.Conv2d)} == {nn.Conv2d}
    transposed = [layer for layer in layers if isinstance(layer, nn.ConvTranspose2d)]
    assert {type(layer) for layer in transposed} == {nn.ConvTranspose2d}


@pytest.mark.parametrize(
    ("convolutions", "device", "fast"),
    [
        ("auto", "cpu", True),
        ("auto", "cuda", False),
        ("auto", "mps", False),
        ("fast", "cuda", True),
        ("plain", "cpu", False),
    ],
)
def test_auto_is_for_cpus(registry, convolutions, device, fast):
    run = compose(registry, model="dcgan64", convolutions=convolutions)
    for kind in ("generator", "discriminator"):
        assert wants_fast_convolutions(run, registry, kind, torch.device(device)) is fast


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_subclass_of_torchs_layer_is_not_replaced(kind):
    own = type("Own", (kind,), {})
    net = nn.Sequential(own(64, 64, 4, 2, 1), kind(64, 64, 4, 2, 1))
    use_fast_convolutions(net)
    assert type(net[0]) is own
    assert count_fast_layers(net) == (1, 2)


def test_contiguous_memory_gives_the_losses_of_channels_last(trainer_of):
    """Fast layers in either layout, and torch's own, to rounding; three steps of both players."""
    losses = {}
    for memory_format in ("channels-last", "contiguous"):
        for convolutions in ("fast", "plain"):
            # Wide enough for other algorithms than torch's.
            trainer = trainer_of(
                "r1",
                model="dcgan64:base_channels=64",
                memory_format=memory_format,
                convolutions=convolutions,
            )
            steps = [trainer.step(number) for number in range(3)]
            numbers = [step[name] for step in steps for name in ("d_loss", "g_loss", "penalty")]
            losses[memory_format, convolutions] = torch.stack(numbers)
    for values in losses.values():
        torch.testing.assert_close(values, losses["contiguous", "plain"], rtol=2e-3, atol=1e-4)
