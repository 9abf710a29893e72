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
from gankit.core.prepared import Prepared
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.data.prepare import prepare
from gankit.training import assemble

SHORT = ("not enough memory", "can't allocate memory", "out of memory")  # torch's words, on CPUs


def is_shortage(error: BaseException) -> bool:
    """Whether this is what Python or torch raise where memory does not suffice."""
    if isinstance(error, GankitError):  # worded as the mistake of a part that was being built
        error = error.__cause__ or error
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SHORT)


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
    size, processes = run.batch_size, int(os.environ.get("WORLD_SIZE", 1))  # torchrun says it
    cut = f" in {run.accumulate} pieces" if run.accumulate > 1 else ""
    what = f"a batch of {size}{cut} does not fit into memory"
    prepared = prepare(run, registry, lambda done, total: None)
    share = dataclasses.replace(assemble.resolve(run, prepared), batch_size=size // processes)
    piece = largest_batch(share, registry, prepared)
    if not piece:
        return f"{what}, nor does a smaller one: choose a narrower model, say :base_channels=16"
    shares = range(2, share.batch_size + 1)
    pieces = next(n for n in shares if share.batch_size % n == 0 and share.batch_size // n <= piece)
    fits = piece * processes
    return f"{what}; {fits} does: --batch-size {fits}, or {size} in pieces: --accumulate {pieces}"


def largest_batch(run: Run, registry: Registry, prepared: Prepared) -> int:
    """The batch, or piece of one, halved until a training step works; 0 if none does."""
    batch_size = run.batch_size // run.accumulate // 2
    while batch_size:
        gc.collect()
        torch.cuda.empty_cache()  # does nothing without CUDA
        smaller = dataclasses.replace(run, batch_size=batch_size, accumulate=1)
        try:
            game = assemble.assemble(smaller, registry, prepared)
            for step in range(2):  # the first one makes the optimisers' state
                float(game.step(step)["g_loss"])
        except Exception as error:
            if not is_shortage(error):
                return 0  # another reason, such as a trick that wants a larger batch
            traceback.clear_frames(error.__traceback__)
            batch_size //= 2
        else:
            return batch_size
    return 0
