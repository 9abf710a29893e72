"""One process at a time: others wait, and a lock ends with its process."""

import errno
import subprocess
import sys

import pytest

from gankit.core.files.file_lock import file_lock

HOLD = """
import sys, time
from pathlib import Path
from gankit.core.files.file_lock import file_lock
with file_lock(Path(sys.argv[1])) as is_held:
    print(is_held, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of `tmp_path / "work"`."""
    argv = [sys.executable, "-c", HOLD, str(tmp_path / "work")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def test_a_lock_ends_with_its_process_and_waiting_is_called_until_then(tmp_path, holder):
    waits = []

    def waiting():
        waits.append(holder.poll())
        if len(waits) == 3:
            holder.kill()

    with file_lock(tmp_path / "work", waiting) as is_held:
        assert is_held
    assert len(waits) >= 3
    assert waits[:3] == [None, None, None]


def test_ctrl_c_ends_the_waiting(tmp_path, holder):
    def waiting():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), file_lock(tmp_path / "work", waiting):
        pytest.fail("the other process still holds it")


def test_an_error_inside_gives_the_lock_back(tmp_path):
    with pytest.raises(OSError, match="full"), file_lock(tmp_path / "work"):
        raise OSError(errno.ENOSPC, "full")
    with file_lock(tmp_path / "work", waiting=lambda: pytest.fail("it is free")) as is_held:
        assert is_held


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_file_system_without_locks_yields_false(tmp_path, monkeypatch, number):
    def unsupported(*args):
        raise OSError(number, "not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    for _ in range(2):
        with file_lock(tmp_path / "work") as is_held:
            assert not is_held
    with file_lock(tmp_path / "work"), file_lock(tmp_path / "work") as is_held:
        assert not is_held
