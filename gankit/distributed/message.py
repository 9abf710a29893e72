"""How processes talk: they add tensors up over all of them, and they meet."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import torch.distributed as dist
from torch import Tensor

from gankit.core.errors import RunFailed

PIECE = timedelta(seconds=1)
PATIENCE = 15  # seconds for a message once this process is to end; torchrun ends it after 30


@dataclass
class Line:
    """What this process knows of its line to the others."""

    stop: Callable[[], int] = lambda: 0  # a signal's number once this process is to end
    stuck: bool = False  # a message was given up, so the line cannot be closed any more


line = Line()


def add_up(mine: Tensor) -> Tensor:
    """Replace a tensor, alike in shape everywhere, by the sum of all processes' ones; returns it.

    RunFailed where a process has ended.
    """
    _exchanged(lambda: dist.all_reduce(mine, async_op=True), on_gpu=mine.is_cuda)
    return mine


def meet() -> None:
    """Wait until all processes are here; after it, each may leave without another's noticing.

    RunFailed where a process has ended.
    """
    _exchanged(lambda: dist.barrier(async_op=True))


def _exchanged(send: Callable[[], dist.Work], on_gpu: bool = False) -> None:
    """Send a message, and wait for the others'.

    Now and then gloo misses that a process has died (here one death in 300) and would wait for half
    an hour, and no signal is heard while it does. So the wait is cut into pieces, and once this
    process was asked to end, as torchrun does when another one has died, it is short.
    """
    try:
        message = send()
        if not on_gpu:  # where wait() only queues: nobody should wait for the GPU
            _wait(message)
        message.wait()
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo/transport" in str(error):  # the line is dead
            raise _ended("has ended") from error
        why = " ".join(str(error).split())
        raise RunFailed(f"the processes of this run cannot talk: {why}", 1) from error


def _wait(message: dist.Work) -> None:
    """Until the message is there or has failed, which its own wait() then raises."""
    end = None
    try:
        while not message.is_completed():
            with contextlib.suppress(RuntimeError):
                message.wait(PIECE)
            if end is None and line.stop():
                end = time.monotonic() + PATIENCE
            if end and time.monotonic() > end:
                raise _ended("has ended or does not answer")
    finally:
        line.stuck = not message.is_completed()


def _ended(how: str) -> RunFailed:
    why = f"another process of this run {how}, so this one stops"
    return RunFailed(f"{why}; --resume goes on from the last checkpoint", 1)
