"""How long a training step of DCGAN 64 takes, beside the textbook's loop as its yardstick."""

import itertools

import pytest
from loops import gankit, textbook


@pytest.mark.parametrize("loop", ["textbook", "gankit-32", "gankit-bf16"])
@pytest.mark.parametrize(("base", "batch"), [(64, 64), (32, 32)])
def test_training_step(benchmark, loop, base, batch):
    benchmark.group = f"DCGAN 64, base {base}, batch {batch}"
    pixels, step = gankit(batch, base, loop.removeprefix("gankit-").replace("textbook", "32"))
    if loop == "textbook":
        step = textbook(pixels, batch, base)
    numbers = itertools.count()
    result = benchmark.pedantic(lambda: step(next(numbers)), rounds=8, warmup_rounds=2)
    assert result.isfinite()
