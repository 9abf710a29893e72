"""How much of the speed of this machine's matrix products a training step reaches."""

import pytest
import torch
from beside import KINDS, beside
from loops import gankit, operations

TYPES = {"32": "float32", "bf16": "bfloat16"}
SIDE = 2048


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("size", "base", "batch"), [(64, 64, 64), (64, 32, 32), (128, 64, 16)])
def test_share_of_product_speed(benchmark, size, base, batch, precision):
    matrix = torch.randn(SIDE, SIDE, dtype=getattr(torch, TYPES[precision]))
    about = {
        "what": f"{size} px, base {base}, batch {batch}, {KINDS[precision]}",
        "yardstick": f"product of two matrices of side {SIDE}, {KINDS[precision]}",
        "operations": operations(size, base, batch),
        "yardstick_operations": 2 * SIDE**3,
    }
    step = gankit(size, base, batch, precision)
    beside(benchmark, step, lambda: matrix @ matrix, question="product speed", times=2, **about)
