"""Is a training step faster when torch.compile compiles the networks? Needs a C++ compiler."""

import dataclasses

import pytest
import torch
from comparison import PRECISION_NAMES, time_against
from loops import make_trainer

from gankit.compute.compiling import compile_networks

# While it compiles, torch reads `grad` of tensors that are not leaves, and warns about that itself.
pytestmark = pytest.mark.filterwarnings("default:The .grad attribute")


@pytest.mark.parametrize("precision", PRECISION_NAMES)
@pytest.mark.parametrize(("size", "base", "batch"), [(64, 32, 32), (64, 64, 64), (128, 32, 16)])
def test_compiled_networks(benchmark, size, base, batch, precision):
    torch.compiler.reset()
    plain = make_trainer(size, base, batch, precision)
    compiled = make_trainer(size, base, batch, precision)
    compile_networks(dataclasses.replace(compiled.run, compile="yes"), compiled.gan)
    time_against(
        benchmark,
        lambda: compiled.step(0),
        lambda: plain.step(0),
        times=4,
        question="compiled",
        what=f"{size} px, base {base}, batch {batch}, {PRECISION_NAMES[precision]}",
        yardstick="as they are",
    )
