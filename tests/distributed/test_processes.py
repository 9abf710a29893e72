"""Several processes train one run: `torchrun -m gankit run`. They talk through gloo, on the CPU."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from gankit import GankitError, compose, train
from gankit.cli.main import main
from gankit.core.process_group import ProcessGroup
from gankit.training import assemble, checkpoint

SMALL = shlex.split(
    "--dataset petals:count=64 --image-size 16 --batch-size 8 --device cpu --precision 32 --flip "
    "--threads 1 --latent-dim 8 --log-every 1 --model dcgan64:base_channels=4 --loss relativistic"
)
TRICKS = ("--trick", "r1:every=2", "--trick", "ema")  # a second derivative, and buffers
GANKIT = ("-m", "gankit", "run", *SMALL)
SIX = (*TRICKS, "--steps", "6")
PLAIN = (*TRICKS, "--model", "modern64:base_channels=4", "--steps", "3", "--save-every", "1")
RUNS = {  # by two processes; starting those takes longer than training, so they train all
    "synchronised": (*SIX, "--sync-batch-norm"),
    "not": (*SIX, "--out", "not"),
    "pieces": (*PLAIN, "--accumulate", "2", "--out", "pieces"),
    "half": (*TRICKS, "--steps", "3", "--keep", "9", "--sync-batch-norm", "--out", "half"),
}
EACH = """import torch.distributed.nn  # before the group, or it keeps that
from gankit.cli.main import main

torch.distributed.init_process_group("gloo")  # once; gankit takes a group that is there

def call(words):
    try:
        main(words)
    except SystemExit as left:
        if left.code:
            raise

"""


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
def pair(tmp_path_factory, torchrun):
    """RUNS, one after another: where they ran, and what was said."""
    place = tmp_path_factory.mktemp("two")
    calls = "\n".join(f"call({['run', *SMALL, *asked]})" for asked in RUNS.values())
    (place / "runs.py").write_text(EACH + calls + torchrun.leave)
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


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, torchrun):
    done = torchrun(*GANKIT, "--batch-size", "7", "--steps", "3", cwd=tmp_path)
    assert done.returncode != 0
    assert "--batch-size must be a multiple of 2: processes (2)" in done.stderr
    assert done.stderr.count("Traceback") == 1  # torchrun's own, after ours have said one line each


@pytest.mark.parametrize("asked", ["--dry-run", "--budget=1m", "--preview=a.png"])
def test_what_looks_ahead_is_for_one_process(gankit_cli, monkeypatch, asked):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    code, _, err = gankit_cli("run", asked)
    assert err.startswith(f"gankit: {asked.partition('=')[0]} is for one process: omit torchrun")
    assert code == 2


@dataclass(frozen=True)
class Second(ProcessGroup):
    """The second of two processes; the first one's word is `says`, where its kind is the same."""

    rank: int = 1
    world_size: int = 2
    says: object = None

    def broadcast(self, value):
        return self.says if type(value) is type(self.says) and value else value


@pytest.fixture
def second(monkeypatch, registry, tiny):
    """`second(says)`: trains as the second process, and returns the Run that it trained."""

    def call(says):
        group, seen = Second(says=says), []
        trainer_of = assemble.assemble
        joined = contextlib.nullcontext(group)
        monkeypatch.setattr("gankit.training.loop.process_group", lambda stop: joined)
        monkeypatch.setattr("gankit.training.assemble.current_process_group", lambda: group)
        monkeypatch.setattr("gankit.training.check_networks.current_process_group", lambda: group)
        monkeypatch.setattr(assemble, "assemble", lambda *a: seen.append(a[0]) or trainer_of(*a))
        train(compose(registry, **tiny(precision="auto", length="2 steps")), registry)
        return seen[0]

    return call


def test_the_first_process_decides_the_arithmetic(second, monkeypatch):
    monkeypatch.setattr("gankit.core.device.computes_in_bf16", lambda device: False)
    assert second(0).precision == "32"
    assert second("bf16").precision == "bf16"


@pytest.mark.parametrize("first", [{"pictures": "others", "step": 0}, {"pictures": "", "step": 9}])
def test_a_process_with_other_pictures_or_another_step_ends(second, first):
    with pytest.raises(GankitError, match="process 1 has .*'step': 0.*, not .*; all need the same"):
        second(first)


def test_the_group_is_gone_once_it_was_left(tmp_path, torchrun):
    """A thread of it that is left may abort Python as that ends."""
    asked = [*SMALL, "--trick", "none", "--steps", "1"]
    (tmp_path / "run.py").write_text(LEFT.format(words=["run", *asked]))
    done = torchrun("run.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("the group is gone")) == (0, 2), done.stderr


LEFT = """import weakref
import torch.distributed as dist
from gankit.cli.main import main

begin, groups = dist.init_process_group, []

def begins(*given, **named):
    begin(*given, **named)
    groups.append(weakref.ref(dist.group.WORLD))

dist.init_process_group = begins
try:
    main({words})
finally:
    assert [group() for group in groups] == [None]
    print("the group is gone")
"""


def workers(parent):
    """The process ids of torchrun's workers."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def end(processes):
    """Whatever of them is still there, even stopped."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


HASTY = """from gankit.cli.main import main
from gankit.distributed import message

message.PATIENCE = 2
main({words})
"""


@pytest.fixture
def dying(tmp_path, torchrun):
    """`dying(*asked)`: a run of two processes with a checkpoint: torchrun's id and theirs."""
    with contextlib.ExitStack() as after:

        def call(*asked):
            endless = (*SMALL, "--steps", "100000", "--save-every", "5", "--out", "run", *asked)
            (tmp_path / "run.py").write_text(HASTY.format(words=["run", *endless]))
            err = after.enter_context((tmp_path / "err").open("w"))
            how = {"env": torchrun.environment, "stdout": subprocess.DEVNULL, "stderr": err}
            parent = subprocess.Popen([*torchrun.two, "run.py"], cwd=tmp_path, **how)
            after.callback(parent.wait)
            after.callback(parent.kill)
            until = time.monotonic() + 120
            while not list(tmp_path.glob("run/checkpoints/step-*")) and time.monotonic() < until:
                time.sleep(0.2)
            both = workers(parent.pid)
            after.callback(end, both)
            assert len(both) == 2, (tmp_path / "err").read_text()
            return parent, *both

        yield call


def there(pid):
    """Whether a process runs; one that has ended and was not asked for its exit code does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


finds_processes = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="wants /proc")


@finds_processes
@pytest.mark.parametrize("norm", ["--no-sync-batch-norm", "--sync-batch-norm"])
def test_when_one_process_dies_the_others_end_with_a_clear_line(tmp_path, dying, norm):
    parent, first, second = dying(norm)
    os.kill(second, signal.SIGKILL)
    assert parent.wait(timeout=60) != 0
    said = (tmp_path / "err").read_text()
    assert re.search("another process of this run has ended.*--resume", said), said
    assert [there(first), there(second)] == [False, False]
    assert checkpoint.newest(tmp_path / "run/checkpoints")[1].step % 5 == 0


SILENT = {  # what a process is sent that waits for a silent one, and what it says
    "as torchrun does": ([signal.SIGTERM], "has ended or does not answer.*--resume"),
    "Ctrl-C twice": ([signal.SIGINT, signal.SIGINT], "gankit: interrupted"),
}


@finds_processes
@pytest.mark.parametrize("sent", SILENT)
def test_a_process_that_is_to_end_does_not_wait_for_a_silent_one(tmp_path, dying, sent):
    signals, words = SILENT[sent]
    parent, first, second = dying()
    os.kill(second, signal.SIGSTOP)  # as one whose death gloo has missed
    for number in signals:
        time.sleep(1.5)
        os.kill(first, number)
    until = time.monotonic() + 30
    while there(first) and time.monotonic() < until:
        time.sleep(0.1)
    assert not there(first)
    os.kill(second, signal.SIGKILL)
    assert parent.wait(timeout=60) != 0
    said = (tmp_path / "err").read_text()
    assert re.search(words, said), said
