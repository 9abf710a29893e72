"""Several processes under torchrun: the group, the mean gradient, one value for all."""

import contextlib
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gankit.core.process_group import ProcessGroup
from gankit.distributed.message import add_up, line, meet


class TorchProcessGroup(ProcessGroup):
    """Processes that torchrun started; they talk through torch.distributed."""

    def all_reduce_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the mean of all gradients, in one message."""
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = add_up(torch.cat([grad.flatten() for grad in grads]))
        flat /= self.world_size
        for grad, part in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
            grad.copy_(part.view(grad.shape))

    def broadcast(self, value: Any) -> Any:
        """Rank 0's value, sent as an all-reduce, so that a dead rank raises instead of hanging."""
        says = b"" if self.rank else pickle.dumps(value)
        length = int(add_up(torch.tensor([len(says)])))
        word = torch.frombuffer(bytearray(says.ljust(length, b"\0")), dtype=torch.uint8)
        return pickle.loads(add_up(word).numpy().tobytes())


def current_process_group() -> ProcessGroup:
    """The group of this process."""
    there = dist.is_available() and dist.is_initialized()
    return TorchProcessGroup(dist.get_rank(), dist.get_world_size()) if there else ProcessGroup()


@contextlib.contextmanager
def process_group(stop: Callable[[], int] = lambda: 0) -> Iterator[ProcessGroup]:
    """While open, this process is in the group that torchrun has started, if it has.

    Once `stop` gives a signal's number, this process waits for no other for long. The group's
    threads end with it: one that is left may abort Python as that ends, six times in 40.
    """
    line.stop = stop
    if "TORCHELASTIC_RUN_ID" not in os.environ or dist.is_initialized():
        yield current_process_group()
        return
    import torch.distributed.nn  # before there is a group, or it keeps that for good

    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield current_process_group()
        meet()  # one that left before the others would look like one that died
    finally:
        if not line.stuck:
            dist.destroy_process_group()
