"""Write files atomically: after a crash, a file is either whole or as it was before."""

import errno
import os
import shutil
import stat
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
    A link at `path` is replaced, not followed. A device or pipe, such as /dev/stdout, is written
    directly: it holds nothing that could be lost, and must not be replaced. Raises OSError.
    """
    if _is_device(path):
        with path.open("wb") as file:
            yield file
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _name_aside(path)
    try:
        with temporary.open("xb") as file:  # x is O_EXCL, which follows no link either
            yield file
            flush(file)
        retry_while_locked(lambda: temporary.replace(path))
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file; text becomes UTF-8, with its line ends unchanged. Raises OSError.

    What UTF-8 cannot encode, a part of a file name that is not UTF-8, becomes `?`.
    """
    with open_atomically(path) as file:
        file.write(content.encode(errors="replace") if isinstance(content, str) else content)


@contextmanager
def new_folder_atomically(path: Path) -> Iterator[Path]:
    """A temporary folder, which becomes the new folder `path` when the block ends without an error.

    After an error, neither of them exists. Raises OSError.
    """
    temporary = _name_aside(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        retry_while_locked(lambda: temporary.rename(path))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _name_aside(path: Path) -> Path:
    """A temporary path next to `path`.

    It is random, because another process or thread may write the same file at the same time. Not
    tempfile: its files cannot be read by other users.
    """
    return path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.writing")


def flush_and_rename(temporary: Path, path: Path) -> None:
    """Flush a finished file to the disk, then rename it to `path`, so a crash cannot empty it."""
    with temporary.open("r+b") as file:
        flush(file)
    retry_while_locked(lambda: temporary.replace(path))


def flush(file: BinaryIO) -> None:
    """Write what Python and the system have in memory to the disk. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())


def remove_unfinished(folder: Path) -> None:
    """Delete what killed processes left half written in a folder, not in folders below it.

    Only for a folder in which no other process writes now.
    """
    unfinished: list[Path] = []
    with suppress(OSError):  # the folder is deleted just now
        unfinished += folder.glob(".*.writing")
    for path in unfinished:
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


def try_to_create(path: Path) -> None:
    """Raise the OSError that writing a file, or into a folder, would raise; changes nothing."""
    folder = path if path.is_dir() else path.parent
    while not folder.exists():
        if folder == folder.parent:  # a drive of Windows that is not there
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        folder = folder.parent
    name = "folder" if path.is_dir() else path.name
    trial = _name_aside(folder / name)
    try:
        trial.open("xb").close()
    finally:
        trial.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """Whether a path, or what it links to, is a device, a pipe or a socket."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
