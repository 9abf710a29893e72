"""Write files atomically: after a crash, a file is either whole or as it was before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file for writing; it replaces `path` when the block ends without an error.

    Creates missing folders. After an error, `path` is unchanged and the temporary file is deleted.
    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A random name, because another process or thread may write the same file at the same time.
    # Not tempfile: its files cannot be read by other users.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.writing")
    try:
        with temporary.open("xb") as file:
            yield file
        flush_and_rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file; text is encoded as UTF-8, with its line ends unchanged. Raises OSError."""
    with open_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def flush_and_rename(temporary: Path, path: Path) -> None:
    """Flush a finished file to the disk, then rename it to `path`, so a crash cannot empty it."""
    with temporary.open("r+b") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
