"""Batch norm over the batch of several processes (Peng et al. 2018, arXiv 1711.07240)."""

import torch
import torch.distributed as dist
from torch import nn


def sync_batch_norm(net: nn.Module, device: torch.device) -> nn.Module:
    """The network with batch norm that sees the shares of all processes, not only its own.

    Without it each process normalises with its own share: two processes with a batch of 64 train
    as if batch norm's were 32. With it, any number of processes takes the steps that one would, to
    rounding. It costs two messages for each layer, there and back. On GPUs it is torch's
    nn.SyncBatchNorm, elsewhere our own. Weights, buffers and their names stay as they are.
    """
    if device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        return converted
    for layer in net.modules():
        if type(layer) is nn.BatchNorm2d:
            layer.__class__ = TeamBatchNorm2d
    return net


class TeamBatchNorm2d(nn.BatchNorm2d):
    """nn.BatchNorm2d with the mean and variance of all processes' equal shares; any device."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.float()  # (N, C, H, W)
        mean = MeanOfAll.apply(wide.mean(dim=(0, 2, 3), keepdim=True))
        var = MeanOfAll.apply((wide - mean).square().mean(dim=(0, 2, 3), keepdim=True))
        with torch.no_grad():
            count = x.numel() // x.shape[1] * dist.get_world_size()
            self.running_mean.lerp_(mean.flatten(), self.momentum)
            self.running_var.lerp_(var.flatten() * (count / (count - 1)), self.momentum)
            self.num_batches_tracked += 1
        weight, bias = (w[None, :, None, None] for w in (self.weight, self.bias))
        return ((wide - mean) * (var + self.eps).rsqrt() * weight + bias).to(x.dtype)


class MeanOfAll(torch.autograd.Function):
    """The mean of all processes' tensors; its gradient is the mean of their gradients."""

    @staticmethod
    def forward(ctx, x):
        total = x.contiguous().clone()
        dist.all_reduce(total)
        return total / dist.get_world_size()

    @staticmethod
    def backward(ctx, grad):
        return MeanOfAll.apply(grad)  # and so it has a gradient itself, for penalties
