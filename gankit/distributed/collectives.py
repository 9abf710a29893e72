"""All-reduce and barrier that notice when another process has ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import torch.distributed as dist
from torch import Tensor

from gankit.core.errors import RunFailed

POLL_INTERVAL = timedelta(seconds=1)
STOP_TIMEOUT = 15  # seconds; torchrun kills a process 30 seconds after it was asked to end


@dataclass
class Connection:
    """The state of this process's connection to the other processes."""

    stop: Callable[[], int] = lambda: 0  # returns a signal's number once this process should end
    is_stuck: bool = False  # an operation was abandoned, so the process group cannot be destroyed


connection = Connection()


def all_reduce_sum(tensor: Tensor) -> Tensor:
    """Replace a tensor by its sum over all processes, in place; returns it.

    RunFailed if a process has ended.
    """
    _run(lambda: dist.all_reduce(tensor, async_op=True), on_gpu=tensor.is_cuda)
    return tensor


def barrier() -> None:
    """Wait until all processes have called this. RunFailed if a process has ended."""
    _run(lambda: dist.barrier(async_op=True))


def _run(start: Callable[[], dist.Work], on_gpu: bool = False) -> None:
    """Start a collective operation and wait for it.

    Sometimes gloo does not notice that a process has died (here in one of 300 trials) and would
    wait for half an hour without handling signals. So `_wait` polls, and gives up soon after this
    process was asked to end, as torchrun does if another process has died.
    """
    with explain_errors():
        work = start()
        if not on_gpu:  # on a GPU, work.wait() does not block Python
            _wait(work)
        work.wait()


@contextlib.contextmanager
def explain_errors() -> Iterator[None]:
    """Re-raise as a RunFailed what torch raises when another process has ended."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo/transport" in str(error):
            raise _process_ended("has ended") from error
        why = " ".join(str(error).split())
        raise RunFailed(f"the processes of this run could not communicate: {why}", 1) from error


def _wait(work: dist.Work) -> None:
    """Wait until an operation is done or has failed; its own wait() then raises the error."""
    deadline = None
    try:
        while not work.is_completed():
            with contextlib.suppress(RuntimeError):
                work.wait(POLL_INTERVAL)
            if deadline is None and connection.stop():
                deadline = time.monotonic() + STOP_TIMEOUT
            if deadline and time.monotonic() > deadline:
                raise _process_ended("has ended or does not answer")
    finally:
        connection.is_stuck = not work.is_completed()


def _process_ended(how: str) -> RunFailed:
    why = f"another process of this run {how}, so this process stops"
    return RunFailed(f"{why}; if a checkpoint was saved, --resume continues from it", 1)
