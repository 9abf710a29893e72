"""Are convolutions over small maps faster as matrix products? Each beside torch's own layer."""

import pytest
import torch
from gankit_kernels.convolution import quicken
from torch import nn

KINDS = {"float32": torch.float32, "bf16": torch.bfloat16}


@pytest.mark.parametrize("way", ["direct", "matrix"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "side"), [(128, 8), (256, 8), (128, 16)])
def test_one_layer_and_its_gradients(benchmark, way, kind, channels, side):
    benchmark.group = f"convolution 4x4 stride 2, {channels} maps of {side} px, 32 pictures, {kind}"
    layer = nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False)
    layer = layer.to(KINDS[kind], memory_format=torch.channels_last)
    layer = quicken(layer) if way == "matrix" else layer
    x = torch.randn(32, channels, side, side, dtype=KINDS[kind])
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()

    def there_and_back():
        out = layer(x)
        out.backward(torch.ones_like(out))

    benchmark.pedantic(there_and_back, rounds=9, iterations=3, warmup_rounds=2)
