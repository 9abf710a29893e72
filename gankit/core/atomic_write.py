"""Write files atomically: after a crash, a file is either whole or as it was before."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Seconds between tries to rename a file that another program holds open; 6 in all.
RENAME_DELAYS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0)


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
    """Write a file; text becomes UTF-8, with its line ends unchanged. Raises OSError.

    What UTF-8 cannot encode, a part of a file name that is not UTF-8, becomes `?`.
    """
    with open_atomically(path) as file:
        file.write(content.encode(errors="replace") if isinstance(content, str) else content)


def flush_and_rename(temporary: Path, path: Path) -> None:
    """Flush a finished file to the disk, then rename it to `path`, so a crash cannot empty it."""
    with temporary.open("r+b") as file:
        os.fsync(file.fileno())
    retry_while_locked(lambda: temporary.replace(path))


def remove_unfinished(folder: Path) -> None:
    """Delete what killed processes left half written in a folder, not in folders below it.

    Only for a folder in which no other process writes now.
    """
    for path in folder.glob(".*.writing"):
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def retry_while_locked(rename: Callable[[], object]) -> None:
    """Call `rename`, and again for some seconds while it raises PermissionError.

    On Windows, a virus scanner opens each new file for a moment, and an open file cannot be renamed
    or replaced. Raises the OSError of the last try.
    """
    for seconds in RENAME_DELAYS:
        try:
            rename()
        except PermissionError:
            time.sleep(seconds)
        else:
            return
    rename()
