"""Batch norm over several processes, compared to torch's over the whole batch."""

import pytest
from torch import nn

from gankit import GankitError
from gankit.distributed.batch_norm import sync_batch_norm

NORMS = """import copy
import torch
import torch.distributed as dist
from torch import nn
from gankit.distributed.batch_norm import sync_batch_norm

def run_layer(layer, x):
    "Outputs, their gradient, and the gradients of a penalty on the gradient's size."
    x = x.clone().requires_grad_()
    out = layer(x)
    (slope,) = torch.autograd.grad(out.pow(3).sum(), x, create_graph=True)
    grads = torch.autograd.grad(slope.square().sum(), [x, *layer.parameters()])
    return [out.detach(), slope.detach(), grads[0]], torch.cat([x.new_ones(1), *grads[1:]])

def assert_close(actual, expected):  # in float32; some gradients are 0
    error = (actual - expected).float().norm()
    assert error < 1e-4 * (1 + expected.float().norm()), (actual, expected)

dist.init_process_group("gloo")
kinds = {nn.BatchNorm1d: (6, 5), nn.BatchNorm2d: (6, 5, 4, 3), nn.BatchNorm3d: (6, 5, 2, 3, 2)}
for kind, shape in kinds.items():
    for options in ({}, {"affine": False}, {"momentum": None}, {"track_running_stats": False}):
        torch.manual_seed(1)
        single = kind(5, **options)
        x = 1 + torch.randn(shape)
        for weight in single.parameters():
            nn.init.normal_(weight)
        synced = sync_batch_norm(copy.deepcopy(single))
        assert isinstance(synced, kind)
        synced_by_x, synced_by_w = run_layer(synced, x.chunk(2)[dist.get_rank()])
        single_by_x, single_by_w = run_layer(single, x)
        for actual, expected in zip(synced_by_x, single_by_x, strict=True):
            assert_close(actual, expected.chunk(2)[dist.get_rank()])
        dist.all_reduce(synced_by_w[1:])
        assert_close(synced_by_w, single_by_w)
        for actual, expected in zip(synced.buffers(), single.buffers(), strict=True):
            assert_close(actual, expected)
        assert synced.state_dict().keys() == single.state_dict().keys()
print("alike")
"""


def test_batch_norm_of_two_processes_equals_that_of_the_whole_batch(tmp_path, torchrun):
    (tmp_path / "norms.py").write_text(NORMS + torchrun.leave_group)
    done = torchrun("norms.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("alike")) == (0, 2), done.stderr


def test_a_batch_norm_with_its_own_forward_is_refused():
    class Odd(nn.BatchNorm2d):
        def forward(self, x):
            return x

    with pytest.raises(GankitError, match="--sync-batch-norm.* 1 .Odd"):
        sync_batch_norm(nn.Sequential(nn.ReLU(), Odd(3)))
