"""Does torch.compile make a training step faster here? Beside the step with networks as they are.

It needs a C++ compiler.
"""

import dataclasses

import pytest
import torch
from beside import KINDS, beside
from loops import trainer

from gankit.compute.compiling import compile_networks

# torch looks at `grad` of what is no leaf while it compiles, and warns itself
pytestmark = pytest.mark.filterwarnings("default:The .grad attribute")


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize(("size", "base", "batch"), [(64, 32, 32), (64, 64, 64), (128, 32, 16)])
def test_compiled_networks(benchmark, size, base, batch, precision):
    torch.compiler.reset()
    plain, compiled = (trainer(size, base, batch, precision) for _ in range(2))
    compile_networks(dataclasses.replace(compiled.run, compile="yes"), compiled.gan)
    ways = [lambda chosen=chosen: chosen.step(0) for chosen in (compiled, plain)]
    about = {"what": f"{size} px, base {base}, batch {batch}, {KINDS[precision]}"}
    about |= {"question": "compiled", "yardstick": "as they are"}
    beside(benchmark, *ways, times=4, **about)
