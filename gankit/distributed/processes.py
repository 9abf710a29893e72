"""The process group of torchrun: averages gradients, broadcasts values."""

import contextlib
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gankit.core.process_group import ProcessGroup
from gankit.distributed.collectives import all_reduce_sum, barrier, connection, explain_errors


class TorchProcessGroup(ProcessGroup):
    """Several processes started by torchrun, which communicate through torch.distributed."""

    def all_reduce_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace gradients by their mean over all processes, with one all-reduce."""
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = all_reduce_sum(torch.cat([grad.flatten() for grad in grads]))
        flat /= self.world_size
        for grad, part in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
            grad.copy_(part.view(grad.shape))

    def broadcast(self, value: Any, source: int = 0) -> Any:
        """One process's value, sent as an all-reduce: a dead rank then raises instead of hanging.

        The first process is the source by default.
        """
        # All other ranks contribute zeros to the sums.
        pickled = pickle.dumps(value) if self.rank == source else b""
        length = int(all_reduce_sum(torch.tensor([len(pickled)])))
        padded = torch.frombuffer(bytearray(pickled.ljust(length, b"\0")), dtype=torch.uint8)
        return pickle.loads(all_reduce_sum(padded).numpy().tobytes())

    def first_problem(self, problem: str) -> str:
        """The first process's problem that is not empty, so that all processes fail alike."""
        has_problem = torch.zeros(self.world_size, dtype=torch.int64)
        has_problem[self.rank] = bool(problem)
        ranks = all_reduce_sum(has_problem).nonzero().flatten().tolist()
        return str(self.broadcast(problem, ranks[0])) if ranks else ""


def current_process_group() -> ProcessGroup:
    """The process group that this process is in: a group of one unless torchrun started it."""
    if dist.is_available() and dist.is_initialized():
        return TorchProcessGroup(dist.get_rank(), dist.get_world_size())
    return ProcessGroup()


@contextlib.contextmanager
def process_group(stop: Callable[[], int] = lambda: 0) -> Iterator[ProcessGroup]:
    """While open, this process is in the process group of torchrun, if torchrun started it.

    Once `stop` returns a signal's number, this process waits for others for a short time only. At
    the end the group is destroyed: one of its threads may abort Python if it still runs at exit (in
    6 of 40 trials).
    """
    connection.stop = stop
    if "TORCHELASTIC_RUN_ID" not in os.environ or dist.is_initialized():
        yield current_process_group()
        return
    import torch.distributed.nn  # before the group is created: an import stores the group

    with explain_errors():
        has_nccl = torch.cuda.is_available() and dist.is_nccl_available()  # Windows has none
        dist.init_process_group("cpu:gloo,cuda:nccl" if has_nccl else "gloo")
    try:
        yield current_process_group()
        barrier()  # a process that leaves earlier would look like one that died
    finally:
        if not connection.is_stuck:
            dist.destroy_process_group()
