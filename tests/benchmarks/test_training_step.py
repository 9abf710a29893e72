"""How long a training step of DCGAN takes, beside the textbook's loop in float32."""

import pytest
from beside import KINDS, loops_beside

SIZES = [(64, 64, 64), (64, 32, 32), (128, 64, 16), (128, 32, 16), (256, 32, 8)]


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("size", "base", "batch"), SIZES)
def test_a_step_beside_the_textbooks(benchmark, size, base, batch, precision):
    about = {"what": f"{size} px, base {base}, batch {batch}, {KINDS[precision]}"}
    about |= {"yardstick": "the textbook's loop, float32", "pictures": batch}
    loops = ("own", "gankit", size, base, batch, precision), ("own", "textbook", size, base, batch)
    loops_beside(benchmark, *loops, question="training step", **about)
