"""Batch norm over the batch of several processes (Peng et al. 2018, arXiv 1711.07240)."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gankit.core.errors import GankitError
from gankit.distributed.message import add_up


def sync_batch_norm(net: nn.Module) -> nn.Module:
    """The network with batch norm that sees the shares of all processes, not only its own.

    Without it each process normalises with its own share: two processes with a batch of 64 train
    as if batch norm's were 32. With it, any number of processes takes the steps that one would, to
    rounding. It costs two messages for each layer, there and back. Weights, buffers and their
    names stay as they are. torch's nn.SyncBatchNorm is not taken: it wants a GPU, and has no second
    derivative, without which there are no gradient penalties.

    A GankitError names a layer of batch norm with a forward pass of its own.
    """
    for name, layer in net.named_modules():
        if isinstance(layer, _BatchNorm):
            kind = type(layer)
            if kind.forward is not _BatchNorm.forward:
                what = f"layer {name} ({kind.__name__}): it has a forward pass of its own"
                raise GankitError(f"--sync-batch-norm cannot share {what}")
            layer.__class__ = type(kind.__name__, (TeamBatchNorm, kind), {})
    return net


class TeamBatchNorm(_BatchNorm):
    """Batch norm with the mean and variance of all processes' equal shares: (N, C, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.float()
        others = [dim for dim in range(x.ndim) if dim != 1]
        mean = mean_of_all(wide.mean(others, keepdim=True))
        var = mean_of_all((wide - mean).square().mean(others, keepdim=True))
        if self.track_running_stats:
            self._remember(mean, var, x.numel() // x.shape[1] * dist.get_world_size())
        normal = (wide - mean) * (var + self.eps).rsqrt()
        if self.affine:
            normal = normal * self.weight.view_as(mean) + self.bias.view_as(mean)
        return normal.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor, count: int) -> None:
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked += 1
        momentum = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.flatten(), momentum)
        self.running_var.lerp_(var.flatten() * (count / (count - 1)), momentum)


class MeanOfAll(torch.autograd.Function):
    """The mean of all processes' tensors; its gradient is the mean of their gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return add_up(x.contiguous().clone()) / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return mean_of_all(grad)  # and so it has a gradient itself, for penalties


def mean_of_all(mine: Tensor) -> Tensor:
    """The mean of all processes' tensors."""
    mean: Tensor = MeanOfAll.apply(mine)
    return mean
