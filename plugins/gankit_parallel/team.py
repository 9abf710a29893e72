"""Several processes under torchrun: who is in the team, the mean gradient, one word for all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gankit.errors import RunFailed
from gankit.team import Team


class Processes(Team):
    """Processes that torchrun started; they talk through torch.distributed."""

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the mean of all gradients, in one message."""
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        with together():
            dist.all_reduce(flat)
        flat /= self.size
        for grad, part in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
            grad.copy_(part.view(grad.shape))

    def told(self, value: Any) -> Any:
        """The first process's value, for all."""
        box = [value]
        with together():
            dist.broadcast_object_list(box)
        return box[0]


@contextlib.contextmanager
def together() -> Iterator[None]:
    """While open, the processes talk; where one cannot any more, its run has failed."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo/transport" in str(error):  # the line is dead
            why = "another process of this run has ended, so this one stops"
            raise RunFailed(f"{why}; --resume goes on from the last checkpoint", 1) from error
        why = " ".join(str(error).split())
        raise RunFailed(f"the processes of this run cannot talk: {why}", 1) from error


def our_team() -> Team:
    """The team of this process."""
    there = dist.is_available() and dist.is_initialized()
    return Processes(dist.get_rank(), dist.get_world_size()) if there else Team()


@contextlib.contextmanager
def joined() -> Iterator[Team]:
    """While open, this process is in the team that torchrun has started, if it has."""
    if "TORCHELASTIC_RUN_ID" not in os.environ or dist.is_initialized():
        yield our_team()
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield our_team()
        with together():
            dist.barrier()  # one that left before the others would look like one that died
    finally:
        dist.destroy_process_group()
