"""When memory runs out: find the largest batch that fits, and name it."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import traceback
from collections.abc import Iterator

import torch

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import EndedEarly, GankitError, RunFailed
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run
from gankit.data.prepare import prepare
from gankit.training import assemble

MESSAGES = (  # in torch's error when a CPU, a library of CUDA or MPS runs out of memory
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "not enough memory",
    "can't allocate memory",
    "out of memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python or torch raised this error, or the one that it names, as memory ran out."""
    if error.__cause__ and isinstance(error, GankitError | ValueError):  # it names a part
        return is_out_of_memory(error.__cause__)
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in MESSAGES)


def _free_frames(error: BaseException | None) -> None:
    """Free the tensors that the frames of an error hold, and those of its causes."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__  # not its context, which may be an error of the caller


class OutOfMemory(RunFailed):
    """Memory ran out; the message names the largest batch that fits. Exit code 1."""


@contextlib.contextmanager
def explain_out_of_memory(run: Run, registry: Registry) -> Iterator[None]:
    """Turn an out-of-memory error into one that names the largest batch that fits.

    What is to be freed before that is tried must not be held by a function around this block.
    """
    try:
        yield
    except OutOfMemory:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        _free_frames(error)
        where = f"{error}; " if isinstance(error, RunFailed) else ""  # it names a part
        failed = OutOfMemory(f"{where}{_advice(run, registry)}", 1)
        if isinstance(error, EndedEarly):
            failed.folder = error.folder
            failed.step = error.step
        raise failed from error


def _advice(run: Run, registry: Registry) -> str:
    size = run.batch_size
    world_size = int(os.environ.get("WORLD_SIZE", 1))  # set by torchrun
    micro_batches = f" in {run.accumulate} micro-batches" if run.accumulate > 1 else ""
    problem = f"a batch of {size}{micro_batches} does not fit into memory"
    prepared = prepare(run, registry)
    size_per_process = size // world_size
    resolved = assemble.resolve_auto(run, prepared)
    one_process = dataclasses.replace(resolved, batch_size=size_per_process)
    largest = find_largest_batch(one_process, registry, prepared)
    if not largest:
        return f"{problem}, and no smaller batch does: use a narrower model, as :base_channels=16"
    accumulate = next(
        number
        for number in range(2, size_per_process + 1)
        if size_per_process % number == 0 and size_per_process // number <= largest
    )
    fits = largest * world_size
    return f"{problem}: use --batch-size {fits}, or keep {size} and add --accumulate {accumulate}"


def find_largest_batch(run: Run, registry: Registry, prepared: PreparedDataset) -> int:
    """Halve the batch or micro-batch until a training step works; 0 if none works."""
    batch_size = run.batch_size // run.accumulate // 2
    while batch_size:
        gc.collect()
        torch.cuda.empty_cache()  # does nothing without CUDA
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()
        smaller = dataclasses.replace(run, batch_size=batch_size, accumulate=1)
        try:
            trainer = assemble.assemble(smaller, registry, prepared)
            for step in range(2):  # the first step allocates the optimisers' state
                float(trainer.step(step)["g_loss"])
        except Exception as error:
            if not is_out_of_memory(error):
                return 0  # another error, such as a trick that needs a larger batch
            _free_frames(error)
            batch_size //= 2
        else:
            return batch_size
    return 0
