"""One process at a time: the others wait, then find the work done.

The lock is the operating system's. It ends with its process, however that ends, so it is never
stale; a file made with O_EXCL, or one that names a process, would leave the next one guessing
whether its maker still lives. The empty lock file stays: if it were removed, two processes could
each hold a lock on a file of that name.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PAUSE = 0.1  # seconds between two looks at a lock that another process holds


@contextmanager
def alone(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
    """Hold `<path>.lock`, calling `waiting` until it is free.

    Gives False on a file system that knows no locks: others may be at work then.
    """
    with path.with_name(path.name + ".lock").open("a+b") as file:
        while True:
            try:
                _lock(file)
            except (BlockingIOError, PermissionError):  # somebody holds it
                waiting()
                time.sleep(PAUSE)
            except OSError:
                yield False
                return
            else:
                yield True  # closing the file gives the lock back
                return


def _lock(file):
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
