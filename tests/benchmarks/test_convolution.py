"""Are convolutions over small maps faster as matrix products? Each beside torch's own layer."""

import pytest
import torch
from beside import KINDS, beside
from gankit_kernels import convolution
from torch import nn

TYPES = {"32": torch.float32, "bf16": torch.bfloat16}
MAPS = [(256, 4), (128, 8), (256, 8), (128, 16), (256, 16)]


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("channels", "side"), MAPS)
def test_one_layer_and_its_gradients(benchmark, precision, channels, side, monkeypatch):
    layout = {"dtype": TYPES[precision], "memory_format": torch.channels_last}
    x = torch.randn(32, channels, side, side).to(**layout).requires_grad_()

    def there_and_back(layer):
        layer.to(**layout)

        def both():
            out = layer(x)
            out.backward(torch.ones_like(out))

        return both

    def conv():
        return nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False)

    left = "" if convolution.worth_it(x, channels, side, side) else ", left to torch"
    monkeypatch.setattr(convolution, "worth_it", lambda *about: True)
    ways = there_and_back(convolution.quicken(conv())), there_and_back(conv())
    about = {"what": f"{channels} maps of {side} px, {KINDS[precision]}{left}"}
    about |= {"question": "one layer", "yardstick": "torch's own"}
    beside(benchmark, *ways, times=3, rounds=9, **about)
