"""Are convolutions over small maps faster as matrix products? Each beside torch's own layer."""

import pytest
import torch
from beside import KINDS, beside
from gankit_kernels.convolution import quicken
from torch import nn

TYPES = {"32": torch.float32, "bf16": torch.bfloat16}


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("channels", "side"), [(128, 8), (256, 8), (128, 16)])
def test_one_layer_and_its_gradients(benchmark, precision, channels, side):
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

    what = f"{channels} maps of {side} px, {KINDS[precision]}"
    ways = there_and_back(quicken(conv())), there_and_back(conv())
    about = {"question": "one layer", "what": what, "yardstick": "torch's own"}
    beside(benchmark, *ways, times=3, rounds=9, **about)
