"""Several processes train one run: `torchrun -m gankit run`. They talk through gloo, on the CPU."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from gankit_commands.main import main
from gankit_parallel.sync import sync_batch_norm
from torch import nn

from gankit import GankitError, checkpoint

SMALL = shlex.split(
    "--dataset petals:count=64 --image-size 16 --batch-size 8 --device cpu --precision 32 --flip "
    "--threads 1 --latent-dim 8 --log-every 1 --model dcgan64:base_channels=4 --loss relativistic"
)
TRICKS = ("--trick", "r1:every=2", "--trick", "ema")  # a second derivative, and buffers
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
GANKIT = ("-m", "gankit", "run", *SMALL)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SIX = (*TRICKS, "--steps", "6")
PLAIN = (*TRICKS, "--model", "modern64:base_channels=4", "--steps", "3", "--save-every", "1")
RUNS = {  # by two processes; starting those takes longer than training, so they train all
    "synchronised": (*SIX, "--sync-batch-norm"),
    "not": (*SIX, "--out", "not"),
    "pieces": (*PLAIN, "--accumulate", "2", "--out", "pieces"),
    "half": (*TRICKS, "--steps", "3", "--keep", "9", "--sync-batch-norm", "--out", "half"),
}
EACH = """import torch.distributed
from gankit_commands.main import main

torch.distributed.init_process_group("gloo")  # once; gankit takes a group that is there

def call(words):
    try:
        main(words)
    except SystemExit as left:
        if left.code:
            raise

"""
# A thread of a group still there at Python's end may abort the process: 10 times in 40, measured.
LEAVE = "\ntorch.distributed.barrier()\ntorch.distributed.destroy_process_group()\n"


NORMS = """import copy
import torch
import torch.distributed as dist
from torch import nn
from gankit_parallel.sync import sync_batch_norm

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


def torchrun(*words, cwd):
    """What two processes said, and how they ended."""
    how = {"env": ENVIRONMENT, "capture_output": True, "text": True, "timeout": 100}
    return subprocess.run([*TORCHRUN, *words], cwd=cwd, check=False, **how)


def by_one(*asked):
    """`gankit run` in this process."""
    with pytest.raises(SystemExit) as left:
        main(["run", *asked])
    assert not left.value.code


def weights(folder, step=6):
    """Every weight and buffer of a run's checkpoint, as one vector."""
    saved = checkpoint.load(folder / f"checkpoints/step-{step:06d}")
    nets = [saved.model[name] for name in sorted(saved.model)]
    return torch.cat([t.double().flatten() for net in nets for _, t in sorted(net.items())])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of six steps of one process."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    every_step = ("--steps", "6", "--save-every", "1", "--keep", "9")
    by_one(*SMALL, *TRICKS, *every_step, "--out", str(folder))
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """RUNS, one after another: where they ran, and what was said."""
    place = tmp_path_factory.mktemp("two")
    calls = "\n".join(f"call({['run', *SMALL, *asked]})" for asked in RUNS.values())
    (place / "runs.py").write_text(EACH + calls + LEAVE)
    done = torchrun("runs.py", cwd=place)
    assert done.returncode == 0, done.stderr
    return place, done.stdout


@pytest.fixture(scope="module")
def synchronised(pair):
    return pair[0] / "runs/petals-dcgan64-1"


def apart(folder, other):
    return (weights(folder) - weights(other)).norm()


def test_two_processes_are_one_with_the_joint_batch(alone, synchronised):
    moved = (weights(alone) - weights(alone, 1)).norm()
    assert apart(alone, synchronised) < 1e-3 * moved


def test_every_batch_norm_of_two_processes_is_that_of_the_joint_batch(tmp_path):
    (tmp_path / "norms.py").write_text(NORMS + LEAVE)
    done = torchrun("norms.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "alike\n" * 2), done.stderr


def test_a_batch_norm_of_its_own_kind_is_refused():
    class Odd(nn.BatchNorm2d):
        def forward(self, x):
            return x

    with pytest.raises(GankitError, match="cannot share layer 1 .Odd"):
        sync_batch_norm(nn.Sequential(nn.ReLU(), Odd(3)))


def test_without_synchronised_statistics_they_are_not(alone, synchronised, pair):
    assert apart(alone, pair[0] / "not") > 20 * apart(alone, synchronised)


def test_two_processes_with_two_pieces_each_are_one_with_the_joint_batch(pair, tmp_path):
    alone, pieces = tmp_path / "alone", pair[0] / "pieces"  # of a network without batch norm
    by_one(*SMALL, *PLAIN, "--keep", "9", "--out", str(alone))
    moved = (weights(alone, 3) - weights(alone, 1)).norm()
    assert (weights(pieces, 3) - weights(alone, 3)).norm() < 1e-3 * moved


def test_one_process_writes_and_speaks(pair, synchronised):
    place, said = pair
    assert list((place / "runs").iterdir()) == [synchronised]
    assert said.count("step 6/6") == sum(asked[:6] == SIX for asked in RUNS.values())
    rows = (synchronised / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == list("123456")


def test_a_run_goes_on_with_another_number_of_processes(alone, pair):
    folder = pair[0] / "half"
    by_one("--resume", str(folder), "--steps", "6")
    assert apart(alone, folder) < 1e-3 * (weights(alone) - weights(folder, 3)).norm()


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    done = torchrun(*GANKIT, "--batch-size", "7", "--steps", "3", cwd=tmp_path)
    assert done.returncode != 0
    assert "--batch-size must be a multiple of 2: processes (2)" in done.stderr
    assert done.stderr.count("Traceback") == 1  # torchrun's own, after ours have said one line each


def workers(parent):
    """The process ids of torchrun's workers."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes through /proc")
@pytest.mark.parametrize("norm", ["--no-sync-batch-norm", "--sync-batch-norm"])
def test_when_one_process_dies_the_others_end_with_a_clear_line(tmp_path, norm):
    asked = [*shlex.split("--steps 100000 --trick none --save-every 5 --out run"), norm]
    with (tmp_path / "err").open("w") as err:
        how = {"env": ENVIRONMENT, "stdout": subprocess.DEVNULL, "stderr": err}
        parent = subprocess.Popen([*TORCHRUN, *GANKIT, *asked], cwd=tmp_path, **how)
    try:
        until = time.monotonic() + 120
        while not list(tmp_path.glob("run/checkpoints/step-*")) and time.monotonic() < until:
            time.sleep(0.2)
        both = workers(parent.pid)
        assert len(both) == 2
        os.kill(both[1], signal.SIGKILL)
        assert parent.wait(timeout=60) != 0
    finally:
        parent.kill()
    said = (tmp_path / "err").read_text()
    assert re.search("another process of this run has ended.*--resume", said)
    assert not any(Path(f"/proc/{pid}").exists() for pid in both)
    assert checkpoint.newest(tmp_path / "run/checkpoints")[1].step % 5 == 0
