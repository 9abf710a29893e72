"""The lock of a run's or race's folder: only one process at a time writes there."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import platform
import re
from pathlib import Path

from filelock import BaseFileLock, Timeout

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.file_lock import lock_if_free, new_lock

log = logging.getLogger("gankit")
NAME = ".running"  # of the files .running.lock and .running.pid
WAIT_SECONDS = 1.0  # for a process that is just ending, or has not written its number yet
# What to do if another process holds the lock, besides to wait.
NEW_ADVICE = "choose another --out"
RESUME_ADVICE = "stop it with Ctrl-C, which saves a checkpoint"
NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK)
REFUSED = (errno.EACCES, errno.EPERM, errno.EISDIR)  # to open a lock that exists
_HOLDER = re.compile(r"([1-9]\d{0,9}) (\S{1,80})")  # process and computer


class FolderLock:
    """The lock of a folder, which the operating system ends with this process.

    The number of the process is in a file of its own, because Windows does not let others read a
    locked file. Where nothing can be locked, the work goes on without a lock.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock_file = folder / f"{NAME}.lock"
        self.pid_file = folder / f"{NAME}.pid"
        self._lock: BaseFileLock | None = None
        self._identity: os.stat_result | None = None  # of the locked file

    def acquire(self, advice: str) -> FolderLock:
        """Make the folder, and lock it. GankitError, with `advice`, if another process holds it."""
        lock = new_lock(self.folder / NAME)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=WAIT_SECONDS)
            self._identity = self.lock_file.stat()
        except Timeout as error:
            message = f"{self.folder} is running{self._describe_holder()}: wait until it ends, or"
            raise GankitError(f"{message} {advice}") from error
        except OSError as error:
            self._go_on_without(error)
            return self
        self._lock = lock
        with contextlib.suppress(OSError):
            self.pid_file.unlink(missing_ok=True)  # of a process that was killed
            write_atomically(self.pid_file, f"{os.getpid()} {platform.node()}")
        return self

    def is_in_place(self) -> bool:
        """Whether the folder is still the one that was locked; True if that is not certain."""
        if self._identity is None:
            return True
        try:
            return os.path.samestat(self.lock_file.stat(), self._identity)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # such as a network disk that does not answer
            return True

    def release(self) -> None:
        """Give the lock back, and delete its files, unless the folder is another one now."""
        if self._lock is None:
            return
        if self.is_in_place():
            for file in (self.pid_file, self.lock_file):  # Windows deletes the second by itself
                with contextlib.suppress(OSError):
                    file.unlink()
        self._lock.release()
        self._lock = None
        self._identity = None

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def _go_on_without(self, error: OSError) -> None:
        if os.path.islink(self.lock_file):  # noqa: PTH114 - Path's may raise
            where = f"{self.lock_file} is a symbolic link, which gankit does not follow"
            raise GankitError(f"{where}: delete it") from error
        if error.errno in NO_LOCKS:
            message = "%s is on a file system without locks: do not start it twice at once"
            log.warning(message, self.folder)
        elif error.errno in REFUSED and os.path.lexists(self.lock_file):  # another user may train
            why = f"cannot lock {self.folder}: {self.lock_file}: {error.strerror}"
            raise GankitError(f"{why}: delete it if nobody trains there now") from error
        # Any other error is met again, and named, by the first file.

    def _describe_holder(self) -> str:
        """` (pid 123)`; empty if it is not certain which process holds the lock."""
        try:
            found = _HOLDER.fullmatch(self.pid_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        if not found:
            return ""
        pid, computer = found.groups()
        if computer != platform.node():
            return f" (pid {pid} on {computer})"
        return f" (pid {pid})" if _is_alive(int(pid)) else ""


def is_running(folder: Path) -> bool:
    """Whether a process trains or races in this folder; True if that is not certain."""
    if not (folder / f"{NAME}.lock").is_file():
        return False
    with lock_if_free(folder / NAME) as is_held:
        return not is_held


def _is_alive(pid: int) -> bool:
    """Whether a process exists; on Windows always True, where asking would end it."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:  # of another user
        return True
    except (OSError, OverflowError):
        return False
    return True
