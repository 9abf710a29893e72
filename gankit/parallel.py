"""Several processes under torchrun train one run: who am I, whose turn is it, the mean gradient.

Every process holds the whole game and takes its share of each batch. What is drawn together (the
order of pictures, z) is drawn alike everywhere and then shared out, so the number of processes
changes no random number. After `backward`, gradients are averaged; so all weights stay alike.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gankit.errors import RunFailed


@dataclass(frozen=True)
class Team:
    """The processes that train one run together; most runs are a team of one."""

    rank: int = 0
    size: int = 1

    def share(self, rows: Any) -> Any:
        """This process's part of rows that all of them have: (N, ...) -> (N / size, ...)."""
        each = len(rows) // self.size
        return rows[self.rank * each : (self.rank + 1) * each]

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the mean of all gradients, in one message."""
        if self.size == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        with _together():
            dist.all_reduce(flat)
        flat /= self.size
        for grad, part in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
            grad.copy_(part.view(grad.shape))

    def told(self, value: Any) -> Any:
        """The first process's value, for all."""
        if self.size == 1:
            return value
        box = [value]
        with _together():
            dist.broadcast_object_list(box)
        return box[0]


@contextlib.contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what a connection says whose other end is gone
        why = "another process of this run has ended, so this one stops"
        raise RunFailed(f"{why}; --resume goes on from the last checkpoint", 1) from error


def team() -> Team:
    """The team of this process."""
    there = dist.is_available() and dist.is_initialized()
    return Team(dist.get_rank(), dist.get_world_size()) if there else Team()


@contextlib.contextmanager
def joined() -> Iterator[Team]:
    """While open, this process is in the team that torchrun has started, if it has."""
    if "TORCHELASTIC_RUN_ID" not in os.environ or dist.is_initialized():
        yield team()
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield team()
        dist.barrier()  # one that left before the others would look like one that died
    finally:
        dist.destroy_process_group()
