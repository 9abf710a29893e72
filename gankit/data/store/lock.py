"""One process at a time does a piece of work; the others wait and find it done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PAUSE = 0.1  # seconds between two calls of `waiting`


@contextmanager
def file_lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
    """Hold `<path>.lock`, calling `waiting` now and then until it is free.

    Gives False on a file system that knows no locks: other processes may be at work then.
    """
    # Only the operating system's lock ends with its process, however that ends. filelock's own
    # fallback, a file that names its maker, would outlive a computer that lost its power.
    lock = FileLock(path.with_name(path.name + ".lock"), fallback_to_soft=False)
    is_held = False
    while not is_held:
        try:
            lock.acquire(timeout=PAUSE)
            is_held = True
        except Timeout:
            waiting()
        except OSError:
            break
    try:
        yield is_held
    finally:
        lock.release()
