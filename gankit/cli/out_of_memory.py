"""When memory runs out: which batch would have fitted."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import traceback
from collections.abc import Iterator

import torch

from gankit.core.errors import GankitError
from gankit.core.prepared import PreparedDataset
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.data.prepare import prepare
from gankit.training import assemble

SHORTAGES = (
    "not enough memory",
    "can't allocate memory",
    "out of memory",
)  # what torch says on CPUs


def is_shortage(error: BaseException) -> bool:
    """Whether this is what Python or torch raise where memory does not suffice."""
    if isinstance(error, GankitError):  # raised again as the error of the part that was being built
        error = error.__cause__ or error
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in SHORTAGES)


@contextlib.contextmanager
def explained(run: Run, registry: Registry) -> Iterator[None]:
    """While open, a shortage of memory becomes a line that names the largest batch that fits."""
    try:
        yield
    except Exception as error:
        if not is_shortage(error):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold the tensors that filled it
        raise GankitError(_advice(run, registry), 1) from error


def _advice(run: Run, registry: Registry) -> str:
    size = run.batch_size
    world_size = int(os.environ.get("WORLD_SIZE", 1))  # set by torchrun
    cut = f" in {run.accumulate} micro-batches" if run.accumulate > 1 else ""
    what = f"a batch of {size}{cut} does not fit into memory"
    prepared = prepare(run, registry, lambda done, total: None)
    share = size // world_size  # of one process
    one_process = dataclasses.replace(assemble.resolve_auto(run, prepared), batch_size=share)
    largest = largest_batch(one_process, registry, prepared)
    if not largest:
        return f"{what}, nor does a smaller one: choose a narrower model, say :base_channels=16"
    counts = range(2, share + 1)
    accumulate = next(n for n in counts if share % n == 0 and share // n <= largest)
    fits = largest * world_size
    instead = f"--batch-size {fits}, or {size} in micro-batches: --accumulate {accumulate}"
    return f"{what}; {fits} does: {instead}"


def largest_batch(run: Run, registry: Registry, prepared: PreparedDataset) -> int:
    """The size of a batch or micro-batch, halved until a training step works; 0 if none does."""
    batch_size = run.batch_size // run.accumulate // 2
    while batch_size:
        gc.collect()
        torch.cuda.empty_cache()  # does nothing without CUDA
        smaller = dataclasses.replace(run, batch_size=batch_size, accumulate=1)
        try:
            trainer = assemble.assemble(smaller, registry, prepared)
            for step in range(2):  # the first one makes the optimisers' state
                float(trainer.step(step)["g_loss"])
        except Exception as error:
            if not is_shortage(error):
                return 0  # another reason, such as a trick that wants a larger batch
            traceback.clear_frames(error.__traceback__)
            batch_size //= 2
        else:
            return batch_size
    return 0
