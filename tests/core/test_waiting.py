"""Between logged steps nothing waits for the device: no number is read back from it.

Here there is only a CPU, where reading costs nothing; but each read goes through the same few
operations as on a GPU, and these are what is looked for.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gankit.core.registry import load_registry

# What reads a number, or makes a tensor whose size must be known: each makes a GPU's queue run dry.
READS = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "is_nonzero"}
TRICKS = sorted(spec.name for spec in load_registry().specs("trick"))


class Watch(TorchDispatchMode):
    """Writes down the operations that wait."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__.partition(".")[0]
        mask = name in ("index", "index_put_") and any(_is_mask(index) for index in args[1])
        if name in READS or mask:
            self.waits.append(name)
        return func(*args, **(kwargs or {}))


def _is_mask(index):
    return index is not None and index.dtype == torch.bool


def test_the_watch_sees_a_number_that_is_read():
    with Watch() as watch:
        float(torch.ones(3).sum())
        torch.ones(3)[torch.ones(3) > 0]
        bool(torch.ones(1) > 0)
    assert watch.waits == ["_local_scalar_dense", "index", "_local_scalar_dense"]


@pytest.mark.parametrize("trick", ["none", *TRICKS])
def test_no_step_reads_a_number(trainer_of, trick):
    trainer = trainer_of(trick, d_steps=2)
    trainer.step(0)
    with Watch() as watch:
        trainer.step(1)
    assert watch.waits == []


@pytest.mark.parametrize("loss", [s.name for s in load_registry().specs("loss")])
def test_no_loss_reads_a_number(trainer_of, loss):
    trainer = trainer_of(loss=loss)
    with Watch() as watch:
        trainer.step(0)
    assert watch.waits == []


def test_float16_reads_none_with_the_fused_optimizer(trainer_of):
    trainer = trainer_of("r1", "gradient-clipping", precision="16")
    trainer.step(0)
    with Watch() as watch:
        trainer.step(1)
    assert watch.waits == []
