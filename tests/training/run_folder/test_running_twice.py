"""Two processes in the folder of one run: one trains, the other is refused and damages nothing."""

import errno
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

import gankit
from gankit import GankitError, compose, hookimpl, train
from gankit.cli.run.from_options import resumed
from gankit.core.parts.registry import load_registry
from gankit.runs.log import read_rows
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.folder_lock import FolderLock

SETTINGS = {"length": "12 steps", "log_every": 2, "draw_every": 6, "save_every": 4, "keep": 9}
LONG = "--log-every=5 --draw-every=1000 --save-every=20 --keep=99 --steps={} --out=run"
NO_FLOCK = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")


@pytest.fixture(autouse=True)
def no_videos(monkeypatch):
    """A video of each run takes longer than these runs do."""
    monkeypatch.setattr("gankit.runs.video.write_video", lambda *args: None)


@pytest.fixture
def run(tiny, registry, here):
    return compose(registry, **tiny(**SETTINGS), out="run")


@pytest.fixture
def start(tiny, here):
    """`start("--steps=4")`: `gankit run` with the tiny run's options, in another process."""
    processes = []

    def call(*words, is_new=True):
        options = {name: value for name, value in tiny().items() if name != "length"}
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        argv = [sys.executable, "-m", "gankit", "run", *(given if is_new else ()), *words]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(argv, cwd=here, **pipes))
        return processes[-1]

    yield call
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


def train_and_call(run, function, **options):
    """Train, and call the function while the run trains, at step 6."""

    class Caller:
        @hookimpl
        def step_done(self, step):
            if step == 6:
                function()

    registry = load_registry()
    assert not registry.load("caller", Caller).error
    return train(run, registry, **options)


def logged_steps(folder):
    return [int(row["step"]) for row in read_rows(folder)]


def hidden(folder):
    return sorted(path.name for path in folder.glob(".*"))


def wait_for_checkpoint(process, folder):
    while not (folder / "checkpoints" / "last").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


# ---------------------------------------------------------------- while a run trains


def test_a_running_run_can_be_drawn_and_measured_but_not_trained(run, gankit_cli, gankit_run, here):
    answers = {}

    def call():
        answers["resume"] = gankit_cli("run", "--resume", "run")
        answers["new"] = gankit_run("--out", "run")
        answers["sample"] = gankit_cli("sample", "run")
        answers["evaluate"] = gankit_cli("evaluate", "run", "--metric", "swd", "--samples", 20)

    folder = train_and_call(run, call)
    for name in ("resume", "new"):
        assert answers[name].code == 2
        assert answers[name].err.count("\n") == 1
        assert f"run is running (pid {os.getpid()})" in answers[name].err
    assert "--out" in answers["new"].err
    assert "--out" not in answers["resume"].err
    assert answers["sample"].code == 0
    assert answers["evaluate"].code == 0
    assert logged_steps(folder) == list(range(2, 13, 2))
    assert hidden(folder) == []


def test_python_is_refused_too_also_in_a_thread(run):
    errors = []

    def call():
        try:
            train(resumed("run"), resume=True)
        except GankitError as error:
            errors.append(error)

    def call_in_a_thread():
        call()
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    train_and_call(run, call_in_a_thread)
    assert [error.exit_code for error in errors] == [2, 2]
    assert all("running" in str(error) for error in errors)


def test_the_same_program_may_train_again_after_an_error(run):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(gankit.RunStopped):
        train_and_call(run, fail)
    assert hidden(run.folder) == []
    train(resumed("run"), resume=True)
    assert logged_steps(run.folder) == list(range(2, 13, 2))


def test_a_copy_made_while_a_run_trains_is_not_locked(run, registry, here):
    train_and_call(run, lambda: shutil.copytree("run", "copy"))
    assert hidden(here / "copy")  # what it copied
    train(resumed("copy"), registry, resume=True)
    assert logged_steps(here / "copy") == list(range(2, 13, 2))
    assert hidden(here / "copy") == []


# ---------------------------------------------------------------- several processes


def test_a_killed_run_can_be_resumed_at_once_and_a_running_one_cannot(start, here):
    first = start(*LONG.format(100_000).split())
    wait_for_checkpoint(first, here / "run")
    second = start("--resume=run", is_new=False)
    message = second.communicate()[1]
    assert second.returncode == 2
    assert f"pid {first.pid})" in message
    assert "Traceback" not in message
    first.kill()
    first.wait()
    last = checkpoint.step_of(checkpoint.list_checkpoints(here / "run/checkpoints")[0])
    third = start("--resume=run", f"--steps={last + 7}", is_new=False)
    message = third.communicate()[1]
    assert third.returncode == 0, message
    assert logged_steps(here / "run") == [*range(5, last + 6, 5), last + 7]
    assert hidden(here / "run") == []


def test_of_two_new_runs_in_one_folder_one_trains(start, here):
    pair = [start(*LONG.format(300).split(), f"--seed={seed}") for seed in (1, 2)]
    messages = [process.communicate()[1] for process in pair]
    codes = [process.returncode for process in pair]
    assert sorted(codes) == [0, 2], messages
    winner = codes.index(0)
    assert f"run is running (pid {pair[winner].pid})" in messages[1 - winner]
    assert gankit.load_run("run").seed == winner + 1
    assert logged_steps(here / "run") == list(range(5, 301, 5))
    steps = [*map(checkpoint.step_of, checkpoint.list_checkpoints(here / "run/checkpoints"))]
    assert steps == list(range(300, 0, -20))


# ---------------------------------------------------------------- what others left there


def test_what_a_killed_process_left_blocks_nothing(run, registry):
    run.folder.mkdir()
    (run.folder / ".running.lock").touch()
    (run.folder / ".running.pid").write_text(f"{os.getpid()} {platform.node()}")
    train(run, registry)
    assert hidden(run.folder) == []


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (f"{os.getpid()} {platform.node()}", f"(pid {os.getpid()})"),
        ("4123 another-computer", "(pid 4123 on another-computer)"),
        (f"2147483646 {platform.node()}", ""),  # no such process
        ("", ""),
        ("12", ""),
        ("0 " + platform.node(), ""),
        ("-1 " + platform.node(), ""),
        ("9" * 5000, ""),
        ("\x1b[2J 5", ""),
    ],
    ids=["own", "elsewhere", "ended", "empty", "no-computer", "zero", "negative", "long", "escape"],
)
def test_no_wrong_process_is_named(tmp_path, content, shown, monkeypatch):
    monkeypatch.setattr("gankit.training.run_folder.folder_lock.WAIT_SECONDS", 0)
    with FolderLock(tmp_path).acquire("advice"):
        (tmp_path / ".running.pid").write_text(content)
        with pytest.raises(GankitError, match="advice") as refused:
            FolderLock(tmp_path).acquire("advice")
    assert ("(pid" in str(refused.value)) == bool(shown)
    assert shown in str(refused.value)


@NO_FLOCK
def test_a_link_in_place_of_the_lock_is_refused(run, registry, here):
    (here / "run").mkdir()
    (here / "mine").write_text("text")
    for target in ("../mine", "../absent"):
        (here / "run" / ".running.lock").symlink_to(target)
        with pytest.raises(GankitError, match=r"\.running\.lock") as refused:
            train(run, registry)
        assert refused.value.exit_code == 2
        (here / "run" / ".running.lock").unlink()
    assert (here / "mine").read_text() == "text"
    assert not (here / "absent").exists()


def test_a_link_in_place_of_the_number_is_not_followed(run, registry, here):
    (here / "run").mkdir()
    (here / "mine").write_text("text")
    (here / "run" / ".running.pid").symlink_to("../mine")
    with pytest.raises(GankitError, match=r"\.running\.pid"):
        train(run, registry)
    assert (here / "mine").read_text() == "text"


# ---------------------------------------------------------------- the lock itself


@NO_FLOCK
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_without_locks_a_run_trains_and_can_be_resumed(run, registry, monkeypatch, caplog, number):
    def unsupported(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", unsupported)
    train(run, registry)
    lines = [record for record in caplog.records if "without locks" in record.getMessage()]
    assert len(lines) == 1
    train(resumed("run", length="16 steps"), registry, resume=True)
    assert logged_steps(run.folder) == list(range(2, 17, 2))


@NO_FLOCK
def test_a_lock_that_cannot_be_opened_is_not_passed_over(run, registry, here, monkeypatch):
    (here / "run" / ".running.lock").mkdir(parents=True)
    with pytest.raises(GankitError, match=r"cannot lock .*\.running\.lock: Is a directory: delete"):
        train(run, registry)
    (here / "run" / ".running.lock").rmdir()
    (here / "run" / ".running.lock").touch()

    class OfAnotherUser:
        def acquire(self, timeout):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(
        "gankit.training.run_folder.folder_lock.new_lock", lambda path: OfAnotherUser()
    )
    with pytest.raises(GankitError, match=r"\.running\.lock: Permission denied: delete it if"):
        train(run, registry)
    assert hidden(here / "run") == [".running.lock"]
    assert not (here / "run" / "run.json").exists()


CHILD = """
import os, sys, time
from pathlib import Path
from gankit.training.run_folder.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1])).acquire("")
if not os.fork():
    time.sleep(60)
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_does_not_keep_the_lock_of_a_dead_parent(run, registry):
    argv = [sys.executable, "-c", CHILD, "run"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert int(parent.stdout.readline()) == parent.pid
        with pytest.raises(GankitError, match=f"pid {parent.pid}"):
            train(run, registry)
        parent.kill()
        parent.wait()
        train(run, registry)
        os.killpg(parent.pid, signal.SIGKILL)  # the child still sleeps


def test_all_processes_of_torchrun_are_refused(run, registry, torchrun):
    answers = []

    def call():
        answers.append(torchrun("-m", "gankit", "run", "--resume", "run", cwd=run.folder.parent))

    train_and_call(run, call)
    (done,) = answers
    assert done.returncode != 0
    assert f"running (pid {os.getpid()})" in done.stderr
    assert done.stderr.count("Traceback") == 1  # from torchrun
    assert "exitcode  : 2" in done.stderr
    assert logged_steps(run.folder) == list(range(2, 13, 2))


def test_a_folder_whose_run_saved_nothing_is_named_so(run, registry):
    train(run, registry)
    with pytest.raises(GankitError, match="already holds a run: "):
        train(run, registry)
    shutil.rmtree("run/checkpoints")
    with pytest.raises(GankitError, match="no checkpoint: delete the folder") as caught:
        train(run, registry)
    assert caught.value.exit_code == 2
