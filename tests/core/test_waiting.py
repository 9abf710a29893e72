"""Between logged steps nothing waits for the device: no number is read back from it.

On the CPU of this test a read costs nothing, but it goes through the same few operations as on a
GPU; the test looks for these.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gankit.core.parts.registry import load_registry

# Operations that read a number, or return a tensor of unknown size: each waits for a GPU.
READS = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "is_nonzero"}
TRICKS = sorted(spec.name for spec in load_registry().specs("trick"))


class WaitRecorder(TorchDispatchMode):
    """Records the operations that wait."""

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


def test_the_recorder_notices_reads():
    with WaitRecorder() as recorder:
        float(torch.ones(3).sum())
        torch.ones(3)[torch.ones(3) > 0]
        bool(torch.ones(1) > 0)
    assert recorder.waits == ["_local_scalar_dense", "index", "_local_scalar_dense"]


@pytest.mark.parametrize("trick", ["none", *TRICKS])
def test_no_step_reads_a_number(trainer_of, trick):
    trainer = trainer_of(trick, d_steps=2)
    trainer.step(0)
    with WaitRecorder() as recorder:
        trainer.step(1)
    assert recorder.waits == []


@pytest.mark.parametrize("loss", [s.name for s in load_registry().specs("loss")])
def test_no_loss_reads_a_number(trainer_of, loss):
    trainer = trainer_of(loss=loss)
    with WaitRecorder() as recorder:
        trainer.step(0)
    assert recorder.waits == []


def test_float16_reads_none_with_the_fused_optimizer(trainer_of):
    trainer = trainer_of("r1", "gradient-clipping", precision="16")
    trainer.step(0)
    with WaitRecorder() as recorder:
        trainer.step(1)
    assert recorder.waits == []


def test_recording_a_step_and_looking_read_none(trainer_of):
    trainer = trainer_of("r1", d_steps=2)
    gan = trainer.gan
    trainer.step(0)
    with WaitRecorder() as recorder:
        _, record = trainer.recorded_step(1, keeps_updates=True)
        assert record.D.update_ratio.shape == record.G.grad_norm.shape == ()
        assert gan.look(gan.sample(torch.ones(2, gan.latent_dim))).shape == (2,)
    assert recorder.waits == []
