"""What it is worth to keep the memory that a step frees: to gankit, and to the textbook's loop."""

import pytest
from beside import loops_beside

SIZES = [(64, 64, 64), (64, 32, 32), (128, 64, 16)]
LOOPS = {
    "gankit, float32": (("gankit", "32"), ("gankit_giving_memory_back", "32")),
    "gankit, bf16": (("gankit", "bf16"), ("gankit_giving_memory_back", "bf16")),
    "the textbook's loop": (("textbook_keeping_memory",), ("textbook",)),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("size", "base", "batch"), SIZES)
def test_memory_that_is_kept(benchmark, size, base, batch, loop):
    about = {"what": f"{loop}, {size} px, base {base}, batch {batch}", "pictures": batch}
    about["yardstick"] = "given back"
    loops = [(name, size, base, batch, *precision) for name, *precision in LOOPS[loop]]
    loops_beside(benchmark, *loops, question="kept memory", times=2, **about)
