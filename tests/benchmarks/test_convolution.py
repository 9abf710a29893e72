"""Are gankit's fast convolutions faster than torch's own layers?"""

import pytest
import torch
from comparison import PRECISION_NAMES, time_against
from torch import nn

from gankit.compute import algorithms
from gankit.compute.algorithms import DIRECT, choose_algorithms
from gankit.compute.convolution import use_fast_convolutions
from gankit.compute.geometry import ConvGeometry

DTYPES = {"32": torch.float32, "bf16": torch.bfloat16}
LAYERS = [  # batch size, channels and side: of dcgan64 at base 32 and 64, and of dcgan128
    (32, 64, 16),
    (32, 128, 8),
    (64, 64, 32),
    (64, 128, 16),
    (64, 256, 8),
    (16, 256, 16),
    (16, 512, 8),
]
ENDS = {"G's last layer": nn.ConvTranspose2d, "D's first, frozen": nn.Conv2d}


def make_step(layer, x, layout):
    """Return a function that runs a layer forward and backward."""
    layer.to(**layout)

    def step():
        out = layer(x)
        out.backward(torch.ones_like(out))

    return step


def format_algorithms(chosen):
    """The results that torch does not compute: `images matmul, weight packed`."""
    names = chosen._asdict().items()
    return ", ".join(f"{name} {how}" for name, how in names if how != DIRECT) or "left to torch"


def make_layout(precision):
    return {"dtype": DTYPES[precision], "memory_format": torch.channels_last}


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize(("count", "channels", "side"), LAYERS)
def test_one_layer_and_its_gradients(benchmark, precision, count, channels, side):
    layout = make_layout(precision)
    x = torch.randn(count, channels, side, side).to(**layout).requires_grad_()
    fast, plain = (nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False) for _ in range(2))
    geometry = ConvGeometry(4, 2, 1, side, side)
    chosen = choose_algorithms(geometry, count, x.itemsize, fast.weight.shape)
    name = f"{count} x {channels} maps of {side} px, {PRECISION_NAMES[precision]}"
    time_against(
        benchmark,
        make_step(use_fast_convolutions(fast), x, layout),
        make_step(plain, x, layout),
        times=3,
        rounds=9,
        question="one layer",
        what=f"{name}: {format_algorithms(chosen)}",
        yardstick="torch's own",
    )


@pytest.fixture
def subpixels_in_16_bits(monkeypatch):
    """Use sub-pixel convolutions in bf16, too, although gankit does not: is that still right?"""
    monkeypatch.setattr(algorithms, "HALF", 0)
    algorithms.choose_algorithms.cache_clear()
    yield
    algorithms.choose_algorithms.cache_clear()


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.usefixtures("subpixels_in_16_bits")
def test_a_layer_between_maps_and_pictures(benchmark, precision, size, end):
    layer_class = ENDS[end]
    is_generator = layer_class is nn.ConvTranspose2d
    channels, side = (32, size // 2) if is_generator else (3, size)
    layout = make_layout(precision)
    x = torch.randn(32, channels, side, side).to(**layout).requires_grad_()

    def make_layer():
        convolution = layer_class(channels, 35 - channels, 4, 2, 1, bias=False)
        return convolution.requires_grad_(is_generator)

    unused = " (not used)" if precision == "bf16" else ""
    time_against(
        benchmark,
        make_step(use_fast_convolutions(make_layer()), x, layout),
        make_step(make_layer(), x, layout),
        times=3,
        rounds=9,
        question="ends",
        what=f"{end}, {size} px, {PRECISION_NAMES[precision]}{unused}",
        yardstick="torch's own",
    )
