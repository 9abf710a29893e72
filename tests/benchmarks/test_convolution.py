"""Are the quicker ways of a convolution quicker? Each beside torch's own layer."""

import pytest
import torch
from beside import KINDS, beside
from gankit_kernels import convolution
from torch import nn

TYPES = {"32": torch.float32, "bf16": torch.bfloat16}
MAPS = [(256, 4), (128, 8), (256, 8), (128, 16), (256, 16)]
ENDS = {"G's last layer": nn.ConvTranspose2d, "D's first, frozen": nn.Conv2d}


def there_and_back(layer, x, layout):
    layer.to(**layout)

    def both():
        out = layer(x)
        out.backward(torch.ones_like(out))

    return both


def layouts(precision):
    return {"dtype": TYPES[precision], "memory_format": torch.channels_last}


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("channels", "side"), MAPS)
def test_one_layer_and_its_gradients(benchmark, precision, channels, side, monkeypatch):
    layout = layouts(precision)
    x = torch.randn(32, channels, side, side).to(**layout).requires_grad_()

    def conv():
        return nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False)

    left = "" if convolution.worth_it(x, channels, side, side) else ", left to torch"
    monkeypatch.setattr(convolution, "worth_it", lambda *about: True)
    ways = [there_and_back(layer, x, layout) for layer in (convolution.quicken(conv()), conv())]
    about = {"what": f"{channels} maps of {side} px, {KINDS[precision]}{left}"}
    about |= {"question": "one layer", "yardstick": "torch's own"}
    beside(benchmark, *ways, times=3, rounds=9, **about)


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("end", ENDS)
def test_a_layer_between_maps_and_pictures(benchmark, precision, size, end):
    layout, kind = layouts(precision), ENDS[end]
    channels, side = (32, size // 2) if kind is nn.ConvTranspose2d else (3, size)
    x = torch.randn(32, channels, side, side).to(**layout).requires_grad_()

    def layer():
        one = kind(channels, 35 - channels, 4, 2, 1, bias=False)
        return one.requires_grad_(kind is nn.ConvTranspose2d)

    ways = [there_and_back(one, x, layout) for one in (convolution.quicken(layer()), layer())]
    about = {"what": f"{end}, {size} px, {KINDS[precision]}"}
    about |= {"question": "ends", "yardstick": "torch's own"}
    beside(benchmark, *ways, times=3, rounds=9, **about)
