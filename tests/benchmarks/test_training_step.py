"""How long a training step of DCGAN takes, compared with the textbook's loop in float32."""

import pytest
from comparison import PRECISION_NAMES, time_loops

SIZES = [(64, 64, 64), (64, 32, 32), (128, 64, 16), (128, 32, 16), (256, 32, 8)]


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize(("size", "base", "batch"), SIZES)
def test_a_training_step(benchmark, size, base, batch, precision):
    time_loops(
        benchmark,
        ("own", "gankit", size, base, batch, precision),
        ("own", "textbook", size, base, batch),
        question="training step",
        what=f"{size} px, base {base}, batch {batch}, {PRECISION_NAMES[precision]}",
        yardstick="the textbook's loop, float32",
        pictures=batch,
    )
