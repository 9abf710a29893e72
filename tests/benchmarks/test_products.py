"""The operations per second of a training step, as a share of those of a matrix product."""

import pytest
import torch
from comparison import PRECISION_NAMES, time_against
from loops import count_operations, gankit

DTYPE_NAMES = {"32": "float32", "bf16": "bfloat16"}
SIDE = 2048


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize(("size", "base", "batch"), [(64, 64, 64), (64, 32, 32), (128, 64, 16)])
def test_share_of_product_speed(benchmark, size, base, batch, precision):
    matrix = torch.randn(SIDE, SIDE, dtype=getattr(torch, DTYPE_NAMES[precision]))
    name = PRECISION_NAMES[precision]
    time_against(
        benchmark,
        gankit(size, base, batch, precision),
        lambda: matrix @ matrix,
        times=2,
        question="product speed",
        what=f"{size} px, base {base}, batch {batch}, {name}",
        yardstick=f"product of two matrices of side {SIDE}, {name}",
        operations=count_operations(size, base, batch),
        yardstick_operations=2 * SIDE**3,
    )
