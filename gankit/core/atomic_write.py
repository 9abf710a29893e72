"""Files that are there whole or as they were before, whatever stops the program in between."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends without an error.

    Makes the folder if it must, raises OSError, and leaves nothing beside `path` after an error.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process or thread may write the same file now. tempfile would hide it from others.
    aside = path.with_name(f".{path.name}.{os.urandom(4).hex()}.writing")
    try:
        with aside.open("xb") as file:
            yield file
        replace_flushed(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file; text as UTF-8, its line ends as they are. Raises OSError."""
    with open_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def replace_flushed(aside: Path, path: Path) -> None:
    """Give a finished file its name, once its bytes are on the disk: a crash cannot empty it."""
    with aside.open("r+b") as file:
        os.fsync(file.fileno())
    aside.replace(path)
