"""Several processes train one run, with `torchrun -m gankit run`, through gloo on the CPU."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from gankit import GankitError, compose, train
from gankit.cli.main import main
from gankit.core.errors import RunFailed
from gankit.core.process_group import ProcessGroup
from gankit.distributed.processes import process_group
from gankit.runs.log import read_log
from gankit.training import assemble
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.named_checkpoint import best_step
from gankit.training.start import check_agreement

SMALL = shlex.split(
    "--dataset petals:count=64 --image-size 16 --batch-size 8 --device cpu --precision 32 --flip "
    "--threads 1 --latent-dim 8 --log-every 1 --model dcgan64:base_channels=4 --loss relativistic"
)
TRICKS = ("--trick", "r1:every=2", "--trick", "ema")  # a second derivative, and buffers
GANKIT = ("-m", "gankit", "run", *SMALL)
SIX = (*TRICKS, "--steps", "6")
PLAIN = (*TRICKS, "--model", "modern64:base_channels=4", "--steps", "3", "--save-every", "1")
RUNS = {  # two processes train all of them, because starting processes takes longer than training
    "synchronised": (*SIX, "--sync-batch-norm"),
    "not": (*SIX, "--out", "not"),
    "micro-batches": (*PLAIN, "--accumulate", "2", "--out", "micro-batches"),
    "best": (
        *shlex.split("--steps 30 --save-every 30 --keep 1 --no-report --out best"),
        *shlex.split("--keep-best kid:features=pixels --measure-every 1 --patience 2"),
    ),
    "half": (*TRICKS, "--steps", "3", "--keep", "9", "--sync-batch-norm", "--out", "half"),
}
MAIN = """import torch.distributed.nn  # before the group is created: it stores the group
from gankit.cli.main import main

torch.distributed.init_process_group("gloo")  # once; gankit uses an existing group

def call(words):
    try:
        main(words)
    except SystemExit as error:
        if error.code:
            raise

"""


def run_in_one_process(*options):
    """`gankit run` in this process."""
    with pytest.raises(SystemExit) as exit_info:
        main(["run", *options])
    assert not exit_info.value.code


def weights(folder, step=6):
    """Every weight and buffer of a run's checkpoint, as one vector."""
    saved = checkpoint.load(folder / f"checkpoints/step-{step:06d}")
    nets = [saved.model[name] for name in sorted(saved.model)]
    return torch.cat([t.double().flatten() for net in nets for _, t in sorted(net.items())])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of a run of six steps, trained by one process."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    every_step = ("--steps", "6", "--save-every", "1", "--keep", "9")
    run_in_one_process(*SMALL, *TRICKS, *every_step, "--out", str(folder))
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory, torchrun):
    """RUNS, trained by two processes: their working directory and their output."""
    folder = tmp_path_factory.mktemp("two")
    calls = "\n".join(f"call({['run', *SMALL, *options]})" for options in RUNS.values())
    (folder / "runs.py").write_text(MAIN + calls + torchrun.leave_group)
    done = torchrun("runs.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def synchronised(pair):
    return pair[0] / "runs/petals-dcgan64-1"


def distance(folder, other):
    return (weights(folder) - weights(other)).norm()


def test_two_processes_train_like_one_with_the_same_batch(alone, synchronised):
    moved = (weights(alone) - weights(alone, 1)).norm()
    assert distance(alone, synchronised) < 1e-3 * moved


def test_without_synchronised_batch_norm_they_do_not(alone, synchronised, pair):
    assert distance(alone, pair[0] / "not") > 20 * distance(alone, synchronised)


def test_two_processes_with_two_micro_batches_each_train_like_one(pair, tmp_path):
    alone = tmp_path / "alone"  # its networks have no batch norm
    micro_batches = pair[0] / "micro-batches"
    run_in_one_process(*SMALL, *PLAIN, "--keep", "9", "--out", str(alone))
    moved = (weights(alone, 3) - weights(alone, 1)).norm()
    assert (weights(micro_batches, 3) - weights(alone, 3)).norm() < 1e-3 * moved


def test_only_one_process_writes_and_prints(pair, synchronised):
    folder, output = pair
    assert list((folder / "runs").iterdir()) == [synchronised]
    assert output.count("step 6/6") == sum(options[:6] == SIX for options in RUNS.values())
    rows = (synchronised / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == list("123456")


def test_two_processes_keep_the_best_checkpoint_and_end_together(pair):
    folder, output = pair
    (ended,) = [line for line in output.splitlines() if line.startswith("stopped after")]
    steps = {int(path.name[5:]) for path in (folder / "best/checkpoints").glob("step-*")}
    best = best_step(folder / "best/checkpoints")
    assert f"at step {max(steps)} of 30" in ended
    assert "2 measurements" in ended
    assert steps == {best, max(steps)}


def test_a_run_is_resumed_with_another_number_of_processes(alone, pair):
    folder = pair[0] / "half"
    run_in_one_process("--resume", str(folder), "--steps", "6")
    assert distance(alone, folder) < 1e-3 * (weights(alone) - weights(folder, 3)).norm()


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, torchrun):
    done = torchrun(*GANKIT, "--batch-size", "7", "--steps", "3", cwd=tmp_path)
    assert done.returncode != 0
    assert re.search(r"--batch-size.*\b7\b.*\b2\b", done.stderr)
    assert done.stderr.count("Traceback") == 1  # from torchrun


@pytest.mark.parametrize("option", ["--dry-run", "--budget=1m", "--preview=a.png"])
def test_options_that_do_not_work_with_torchrun(gankit_cli, monkeypatch, option):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    code, _, err = gankit_cli("run", option)
    assert option.partition("=")[0] in err
    assert "torchrun" in err
    assert code == 2


@dataclass(frozen=True)
class Second(ProcessGroup):
    """The second of two processes; it receives `received` in broadcasts of values of that type."""

    rank: int = 1
    world_size: int = 2
    received: object = None

    def broadcast(self, value):
        return self.received if type(value) is type(self.received) and value else value


class First(ProcessGroup):
    """The first of two processes; the second has a problem."""

    def first_problem(self, problem):
        return problem or "process 1 has a problem"


def test_all_processes_refuse_to_begin_when_one_has_other_pictures(trainer_of):
    trainer = trainer_of()
    received = {"pictures": "other", "step": 0, "weights": ""}
    with pytest.raises(GankitError, match="process 1 .*other pictures and weights .*--data"):
        check_agreement(trainer, Second(received=received))
    with pytest.raises(GankitError, match="process 1 has a problem"):
        check_agreement(trainer, First(rank=0, world_size=2))


def test_a_process_that_ends_before_the_others_are_connected(monkeypatch):
    def refuse(backend):
        raise RuntimeError("connectFullMesh failed with [gloo/transport/tcp/pair.cc:561] closed")

    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setattr(torch.distributed, "init_process_group", refuse)
    with pytest.raises(RunFailed, match="another process"), process_group():
        pass


@pytest.fixture
def second(monkeypatch, registry, tiny):
    """`second(received)`: trains as the second process, and returns the Run that it trained."""

    def call(received):
        group = Second(received=received)
        runs = []
        trainer_of = assemble.assemble
        joined = contextlib.nullcontext(group)
        monkeypatch.setattr("gankit.training.train.process_group", lambda stop: joined)
        monkeypatch.setattr("gankit.training.assemble.current_process_group", lambda: group)
        monkeypatch.setattr("gankit.training.checks.networks.current_process_group", lambda: group)

        def assemble_and_note(run, *others, **options):
            runs.append(run)
            return trainer_of(run, *others, **options)

        monkeypatch.setattr(assemble, "assemble", assemble_and_note)
        train(compose(registry, **tiny(precision="auto", length="2 steps")), registry)
        return runs[0]

    return call


def test_the_first_process_decides_the_precision(second, monkeypatch):
    monkeypatch.setattr("gankit.core.device.is_faster_in_bf16", lambda device: False)
    assert second(0).precision == "32"
    assert second("bf16").precision == "bf16"


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ({"pictures": "others", "step": 0, "weights": ""}, "pictures and weights"),
        ({"pictures": "", "step": 9, "weights": ""}, "pictures and step and weights"),
    ],
)
def test_a_process_with_other_pictures_or_another_step_ends(second, first, others):
    with pytest.raises(GankitError, match=f"process 1 starts with other {others} than process 0"):
        second(first)


def test_a_process_whose_part_drew_other_weights_is_refused(trainer_of):
    trainer = trainer_of()
    received = {"pictures": trainer.prepared.fingerprint, "step": 0, "weights": "others"}
    with pytest.raises(GankitError, match="process 1 starts with other weights .*gan.draw"):
        check_agreement(trainer, Second(received=received))


@pytest.mark.parametrize("trick", ["minibatch-stddev", "minibatch-discrimination"])
def test_weights_that_tricks_add_are_the_same_in_all_processes(trick, trainer_of, monkeypatch):
    of_process = []
    for rank in range(2):
        group = ProcessGroup(rank=rank, world_size=2)
        monkeypatch.setattr(
            "gankit.training.assemble.current_process_group", lambda group=group: group
        )
        gan = trainer_of(trick).gan
        assert gan.process_group is group
        of_process.append(gan.D.net.state_dict())
    assert all(torch.equal(of_process[0][name], of_process[1][name]) for name in of_process[0])


def test_the_group_is_destroyed_at_the_end(tmp_path, torchrun):
    """One of its threads may abort Python if it still runs at exit."""
    options = [*SMALL, "--trick", "none", "--steps", "1"]
    (tmp_path / "run.py").write_text(DESTROYED.format(argv=["run", *options]))
    done = torchrun("run.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("the group is destroyed")) == (0, 2), done.stderr


DESTROYED = """import weakref
import torch.distributed as dist
from gankit.cli.main import main

init_process_group = dist.init_process_group
groups = []

def init_and_record(*args, **kwargs):
    init_process_group(*args, **kwargs)
    groups.append(weakref.ref(dist.group.WORLD))

dist.init_process_group = init_and_record
try:
    main({argv})
finally:
    assert [group() for group in groups] == [None]
    print("the group is destroyed")
"""


def workers(parent):
    """The process ids of torchrun's workers."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def kill(processes):
    """Kill those that still run or are suspended."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


SHORT_TIMEOUT = """from gankit.cli.main import main
from gankit.distributed import collectives

collectives.STOP_TIMEOUT = 2
main({argv})
"""


@pytest.fixture
def dying(tmp_path, torchrun):
    """`dying(*options)`: starts two processes, waits for a checkpoint; returns torchrun and ids."""
    with contextlib.ExitStack() as after:

        def call(*options):
            endless = (*SMALL, "--steps", "100000", "--save-every", "5", "--out", "run", *options)
            (tmp_path / "run.py").write_text(SHORT_TIMEOUT.format(argv=["run", *endless]))
            err = after.enter_context((tmp_path / "err").open("w"))
            redirect = {"env": torchrun.environment, "stdout": subprocess.DEVNULL, "stderr": err}
            parent = subprocess.Popen([*torchrun.command, "run.py"], cwd=tmp_path, **redirect)
            after.callback(parent.wait)
            after.callback(parent.kill)
            until = time.monotonic() + 120
            while not list(tmp_path.glob("run/checkpoints/step-*")) and time.monotonic() < until:
                time.sleep(0.2)
            worker_ids = workers(parent.pid)
            after.callback(kill, worker_ids)
            assert len(worker_ids) == 2, (tmp_path / "err").read_text()
            return parent, *worker_ids

        yield call


def is_running(pid):
    """Whether a process runs; a zombie does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize("norm", ["--no-sync-batch-norm", "--sync-batch-norm"])
def test_when_one_process_dies_the_others_end_with_an_error(tmp_path, dying, norm):
    parent, first, second = dying(norm)
    os.kill(second, signal.SIGKILL)
    assert parent.wait(timeout=60) != 0
    output = (tmp_path / "err").read_text()
    assert re.search("another process.*--resume", output), output
    assert [is_running(first), is_running(second)] == [False, False]
    assert checkpoint.load_newest(tmp_path / "run/checkpoints")[1].step % 5 == 0


SILENT = {  # signals to a process that waits for a suspended one, and a fact of its message
    "as torchrun does": ([signal.SIGTERM], "does not answer.*--resume"),
    "Ctrl-C twice": ([signal.SIGINT, signal.SIGINT], "gankit: interrupted"),
}


@needs_proc
@pytest.mark.parametrize("how", SILENT)
def test_a_process_that_should_end_does_not_wait_for_a_suspended_one(tmp_path, dying, how):
    signals, fact = SILENT[how]
    parent, first, second = dying()
    os.kill(second, signal.SIGSTOP)  # like a death that gloo does not notice
    for number in signals:
        time.sleep(1.5)
        os.kill(first, number)
    until = time.monotonic() + 30
    while is_running(first) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(first)
    os.kill(second, signal.SIGKILL)
    assert parent.wait(timeout=60) != 0
    output = (tmp_path / "err").read_text()
    assert re.search(fact, output), output


BAD_STATISTICS = """
import sys
import gankit
from gankit import Trick, TrickSpec, hookimpl
from gankit.core.parts.registry import load_registry

class Poison(Trick):
    def after_update(self, gan, player):
        if player is gan.G and gan.step == 2 and gan.process_group.rank == 1:
            next(b for n, b in gan.G.net.named_buffers() if "running_var" in n)[0] = float("nan")

class Mine:
    @hookimpl
    def register_tricks(self, register):
        register(TrickSpec(name="poison", summary="s", source="s", build=Poison))

registry = load_registry()
registry.load("mine", Mine)
settings = dict(dataset="petals:count=64", model="dcgan64:base_channels=4", image_size=16)
settings |= dict(batch_size=8, length="6 steps", save_every=1, device="cpu", precision="32")
run = gankit.compose(registry, **settings, tricks=["poison"], out="run")
try:
    gankit.train(run, registry)
except gankit.GankitError as error:
    sys.stdout.write(f"failed: {error}\\n")
"""


def test_all_processes_fail_alike_if_the_numbers_of_one_are_not_finite(torchrun, tmp_path):
    (tmp_path / "bad.py").write_text(BAD_STATISTICS + torchrun.leave_group)
    done = torchrun("bad.py", cwd=tmp_path)
    lines = [line for line in done.stdout.splitlines() if "failed:" in line]
    assert len(lines) == 2, done.stdout + done.stderr
    for line in lines:
        for fact in ("running_var of G is nan", "step 3", "step-000002"):
            assert fact in line
    names = [path.name for path in checkpoint.list_checkpoints(tmp_path / "run/checkpoints")]
    assert names[0] == "step-000002"


def test_an_observer_of_the_first_process_ends_all_at_a_logged_step(torchrun, tmp_path):
    source = """
    from gankit import hookimpl

    @hookimpl
    def step_taken(step, record, control):
        control.report({"d": record.D.grad_norm})
        if step == 4:
            control.stop("seen enough")
    """
    (tmp_path / "ends.py").write_text(textwrap.dedent(source))
    options = (*SMALL, "--log-every", "3", "--steps", "9", "--out", "ended")
    result = torchrun("-m", "gankit", "-p", "ends.py", "run", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "seen enough" in result.stdout
    log = read_log(tmp_path / "ended")
    assert log["step"] == [3, 6]
    assert all(norm > 0 for norm in log["ends.d"])
