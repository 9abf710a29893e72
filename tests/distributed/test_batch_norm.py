"""Batch norm that several processes share, against torch's over the joint batch."""

import pytest
from torch import nn

from gankit import GankitError
from gankit.distributed.batch_norm import sync_batch_norm

NORMS = """import copy
import torch
import torch.distributed as dist
from torch import nn
from gankit.distributed.batch_norm import sync_batch_norm

def judged(layer, x):
    "Outputs, their gradient, and the gradients of a penalty on that one's size."
    x = x.clone().requires_grad_()
    out = layer(x)
    (slope,) = torch.autograd.grad(out.pow(3).sum(), x, create_graph=True)
    every = torch.autograd.grad(slope.square().sum(), [x, *layer.parameters()])
    return [out.detach(), slope.detach(), every[0]], torch.cat([x.new_ones(1), *every[1:]])

def close(ours, wanted):  # as far as float32 goes; some gradients are 0
    assert (ours - wanted).float().norm() < 1e-4 * (1 + wanted.float().norm()), (ours, wanted)

dist.init_process_group("gloo")
kinds = {nn.BatchNorm1d: (6, 5), nn.BatchNorm2d: (6, 5, 4, 3), nn.BatchNorm3d: (6, 5, 2, 3, 2)}
for kind, shape in kinds.items():
    for asked in ({}, {"affine": False}, {"momentum": None}, {"track_running_stats": False}):
        torch.manual_seed(1)
        alone, x = kind(5, **asked), 1 + torch.randn(shape)
        for weight in alone.parameters():
            nn.init.normal_(weight)
        ours = sync_batch_norm(copy.deepcopy(alone))
        assert isinstance(ours, kind)
        ours_of_x, ours_of_w = judged(ours, x.chunk(2)[dist.get_rank()])
        all_of_x, all_of_w = judged(alone, x)
        for one, other in zip(ours_of_x, all_of_x, strict=True):
            close(one, other.chunk(2)[dist.get_rank()])
        dist.all_reduce(ours_of_w[1:])
        close(ours_of_w, all_of_w)
        for one, other in zip(ours.buffers(), alone.buffers(), strict=True):
            close(one, other)
        assert ours.state_dict().keys() == alone.state_dict().keys()
print("alike")
"""


def test_every_batch_norm_of_two_processes_is_that_of_the_joint_batch(tmp_path, torchrun):
    (tmp_path / "norms.py").write_text(NORMS + torchrun.leave)
    done = torchrun("norms.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("alike")) == (0, 2), done.stderr


def test_a_batch_norm_of_its_own_kind_is_refused():
    class Odd(nn.BatchNorm2d):
        def forward(self, x):
            return x

    with pytest.raises(GankitError, match="cannot share layer 1 .Odd"):
        sync_batch_norm(nn.Sequential(nn.ReLU(), Odd(3)))
