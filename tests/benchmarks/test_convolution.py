"""Are the fast convolutions faster? Each beside torch's own layer."""

import pytest
import torch
from beside import KINDS, beside
from torch import nn

from gankit.compute import algorithms
from gankit.compute.algorithms import DIRECT, choose_algorithms
from gankit.compute.convolution import use_fast_convolutions
from gankit.compute.geometry import ConvGeometry

TYPES = {"32": torch.float32, "bf16": torch.bfloat16}
LAYERS = [  # pictures, maps and their side: of dcgan64 at base 32 and 64, and of dcgan128
    (32, 64, 16),
    (32, 128, 8),
    (64, 64, 32),
    (64, 128, 16),
    (64, 256, 8),
    (16, 256, 16),
    (16, 512, 8),
]
ENDS = {"G's last layer": nn.ConvTranspose2d, "D's first, frozen": nn.Conv2d}


def there_and_back(layer, x, layout):
    layer.to(**layout)

    def both():
        out = layer(x)
        out.backward(torch.ones_like(out))

    return both


def written(chosen):
    """What is not left to torch: `images matmul, weight packed`."""
    faster = [f"{name} {how}" for name, how in chosen._asdict().items() if how != DIRECT]
    return ", ".join(faster) or "left to torch"


def layouts(precision):
    return {"dtype": TYPES[precision], "memory_format": torch.channels_last}


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("count", "channels", "side"), LAYERS)
def test_one_layer_and_its_gradients(benchmark, precision, count, channels, side):
    layout = layouts(precision)
    x = torch.randn(count, channels, side, side).to(**layout).requires_grad_()
    layers = [nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False) for _ in range(2)]
    geometry = ConvGeometry(4, 2, 1, side, side)
    chosen = choose_algorithms(geometry, count, x.itemsize, layers[0].weight.shape)
    about = {"what": f"{count} x {channels} maps of {side} px, {KINDS[precision]}"}
    about["what"] += f": {written(chosen)}"
    about |= {"question": "one layer", "yardstick": "torch's own"}
    fast = there_and_back(use_fast_convolutions(layers[0]), x, layout)
    plain = there_and_back(layers[1], x, layout)
    beside(benchmark, fast, plain, times=3, rounds=9, **about)


@pytest.fixture
def subpixels_in_16_bits(monkeypatch):
    """Sub-pixels in 16 bits too, which gankit does not use: is that still the better choice?"""
    monkeypatch.setattr(algorithms, "HALF", 0)
    algorithms.choose_algorithms.cache_clear()
    yield
    algorithms.choose_algorithms.cache_clear()


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.usefixtures("subpixels_in_16_bits")
def test_a_layer_between_maps_and_pictures(benchmark, precision, size, end):
    layout, kind = layouts(precision), ENDS[end]
    channels, side = (32, size // 2) if kind is nn.ConvTranspose2d else (3, size)
    x = torch.randn(32, channels, side, side).to(**layout).requires_grad_()

    def layer():
        convolution = kind(channels, 35 - channels, 4, 2, 1, bias=False)
        return convolution.requires_grad_(kind is nn.ConvTranspose2d)

    fast = there_and_back(use_fast_convolutions(layer()), x, layout)
    plain = there_and_back(layer(), x, layout)
    kept = " (not used)" if precision == "bf16" else ""
    about = {"what": f"{end}, {size} px, {KINDS[precision]}{kept}"}
    about |= {"question": "ends", "yardstick": "torch's own"}
    beside(benchmark, fast, plain, times=3, rounds=9, **about)
