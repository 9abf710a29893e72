"""Batch norm over the batch of several processes (Peng et al. 2018, arXiv 1711.07240)."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gankit.core.errors import GankitError
from gankit.distributed.collectives import all_reduce_sum


def sync_batch_norm(net: nn.Module) -> nn.Module:
    """Replace a network's batch norm layers, in place, by ones that use the batch of all processes.

    Without it, each process normalises over its own share: with two processes and a batch of 64,
    batch norm sees 32 pictures. With it, training does not depend on the number of processes, up to
    rounding. It costs two all-reduces per layer in each direction. Weights, buffers and their names
    do not change. Not torch's nn.SyncBatchNorm: it needs a GPU, and has no second derivative, which
    gradient penalties need.

    GankitError for a subclass of batch norm with its own forward method.
    """
    for name, layer in net.named_modules():
        if isinstance(layer, _BatchNorm):
            kind = type(layer)
            if kind.forward is not _BatchNorm.forward:
                why = f"{name} ({kind.__name__}) has its own forward method"
                raise GankitError(f"--sync-batch-norm does not support a layer: {why}")
            layer.__class__ = type(kind.__name__, (SyncedBatchNorm, kind), {})
    return net


class SyncedBatchNorm(_BatchNorm):
    """Batch norm with mean and variance over all processes; each has an equal share (N, C, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        x32 = x.float()
        dims = [dim for dim in range(x.ndim) if dim != 1]  # all but the channels
        mean = all_reduce_mean(x32.mean(dims, keepdim=True))
        var = all_reduce_mean((x32 - mean).square().mean(dims, keepdim=True))
        if self.track_running_stats:
            self._update_running_stats(mean, var, x.numel() // x.shape[1] * dist.get_world_size())
        normalized = (x32 - mean) * (var + self.eps).rsqrt()
        if self.affine:
            normalized = normalized * self.weight.view_as(mean) + self.bias.view_as(mean)
        return normalized.to(x.dtype)

    @torch.no_grad()
    def _update_running_stats(self, mean: Tensor, var: Tensor, count: int) -> None:
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked += 1
        momentum = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.flatten(), momentum)
        self.running_var.lerp_(var.flatten() * (count / (count - 1)), momentum)


class AllReduceMean(torch.autograd.Function):
    """The mean of a tensor over all processes; its gradient is the mean of their gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return all_reduce_sum(x.contiguous().clone()) / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return all_reduce_mean(grad)  # differentiable again, for penalties


def all_reduce_mean(tensor: Tensor) -> Tensor:
    """The mean of a tensor over all processes, with gradients of any order."""
    mean: Tensor = AllReduceMean.apply(tensor)
    return mean
