"""Where memory runs out, gankit says which batch would have fitted."""

import re

import pytest
import torch

from gankit.cli import out_of_memory
from gankit.training import assemble

WAYS = {
    "CUDA": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "a CPU": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ..."),
    "Python": MemoryError,
}


@pytest.fixture
def room_for(monkeypatch):
    """Lets only batches up to a size be trained on."""

    def make(most, error):
        step = assemble.Trainer.step

        def scarce(trainer, number):
            if trainer.run.batch_size > most:
                raise error()
            return step(trainer, number)

        monkeypatch.setattr(assemble.Trainer, "step", scarce)

    return make


@pytest.mark.parametrize("error", WAYS.values(), ids=WAYS)
def test_the_largest_batch_that_fits_is_named(error, room_for, gankit_run):
    room_for(4, error)
    code, out, err = gankit_run("--batch-size", "16", "--dataset", "petals:count=64")
    line = "gankit: a batch of 16 does not fit into memory; 4 does: --batch-size 4"
    assert err == f"{line}, or 16 in micro-batches: --accumulate 4\n"
    assert re.search(r"failed after \d+ s at step 0 of", out)  # not "finished already"
    assert code == 1


def test_a_batch_in_pieces_is_cut_further(room_for, gankit_run):
    """A step of one piece stands for one of many, since only one piece's graph is there."""
    room_for(3, MemoryError)
    code, _, err = gankit_run("--batch-size", "30", "--accumulate", "2")
    what = "a batch of 30 in 2 micro-batches"
    line = f"gankit: {what} does not fit into memory; 3 does: --batch-size 3"
    assert err == f"{line}, or 30 in micro-batches: --accumulate 10\n"
    assert code == 1


def test_the_largest_batch_is_that_of_all_processes(room_for, gankit_run, monkeypatch):
    room_for(4, MemoryError)
    monkeypatch.setenv("WORLD_SIZE", "2")  # each takes 8 of the 16
    err = gankit_run("--batch-size", "16", "--dataset", "petals:count=64").err
    assert err.endswith("; 8 does: --batch-size 8, or 16 in micro-batches: --accumulate 2\n")


def test_where_nothing_fits_a_narrower_model_is_the_advice(room_for, gankit_run):
    room_for(0, MemoryError)
    code, _, err = gankit_run("--batch-size", "8")
    assert err.startswith("gankit: a batch of 8 does not fit into memory, nor does a smaller one")
    assert code == 1


def test_networks_too_large_to_build_are_no_mistake_of_the_plugin(gankit_run, monkeypatch):
    def build(*asked, **sizes):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")

    monkeypatch.setattr("gankit_dcgan.nets.Generator.__init__", build)
    code, _, err = gankit_run("--batch-size", "8", "--model", "dcgan64")
    assert err.startswith("gankit: a batch of 8 does not fit into memory, nor does a smaller one")
    assert code == 1


def test_other_errors_are_no_shortage(room_for, gankit_cli):
    assert not out_of_memory.is_shortage(RuntimeError("shapes cannot be multiplied"))
    assert not out_of_memory.is_shortage(ValueError("out of memory"))


def test_what_torch_raises_is_understood():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**55, dtype=torch.uint8)
    assert out_of_memory.is_shortage(raised.value)
