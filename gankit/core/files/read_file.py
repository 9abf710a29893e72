"""Read a file that may come from somebody else: a regular file, of a sensible size."""

import os
import stat
from pathlib import Path

from gankit.core.errors import GankitError


def read_regular_file(path: Path, max_bytes: int) -> bytes:
    """The contents of a regular file of at most `max_bytes` bytes. Links are followed.

    GankitError if the file is missing or larger, or is a folder, a pipe or a device: reading one of
    those could wait for ever, or never end.
    """
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise GankitError(f"cannot read {path}: it is not a regular file")
            if status.st_size > max_bytes:
                limit = f"gankit reads at most {max_bytes:,}"
                raise GankitError(f"cannot read {path}: it has {status.st_size:,} bytes; {limit}")
            content = file.read(status.st_size + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise GankitError(f"cannot read {path}: {reason}") from error
    if len(content) > status.st_size:  # a file of /proc, or a log that another program writes
        raise GankitError(f"cannot read {path}: it grew while it was read")
    return content


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; opening a pipe would otherwise wait until another program writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
