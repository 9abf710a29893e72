"""A lock between processes: one does the work, the others wait and then find it done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

POLL_SECONDS = 0.1  # between two calls of `waiting`


def new_lock(path: Path) -> BaseFileLock:
    """The operating system's lock of the file `<path>.lock`, not yet held.

    It ends when its process does, however that ends. filelock's fallback, a file with the owner's
    name, would stay after a power failure. It follows no symbolic link, and child processes do not
    inherit it.
    """
    return FileLock(path.with_name(path.name + ".lock"), fallback_to_soft=False)


@contextmanager
def file_lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
    """Hold `<path>.lock`; while another process holds it, call `waiting` every 0.1 s.

    Yields False on a file system without locks: another process may be at work at the same time.
    """
    lock = new_lock(path)
    is_held = False
    while not is_held:
        try:
            lock.acquire(timeout=POLL_SECONDS)
            is_held = True
        except Timeout:
            waiting()
        except OSError:
            break
    try:
        yield is_held
    finally:
        lock.release()


@contextmanager
def lock_if_free(path: Path) -> Iterator[bool]:
    """Hold `<path>.lock` unless another process holds it: yields whether it is held now.

    Yields False on a file system without locks or without permission.
    """
    lock = new_lock(path)
    with suppress(Timeout, OSError):
        lock.acquire(timeout=0)
    try:
        yield lock.is_locked
    finally:
        lock.release()
