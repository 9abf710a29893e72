"""What killed processes left unfinished in the cache, and how it is told from work in progress."""

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from gankit.core.files.file_lock import file_lock, lock_if_free
from gankit.data.store.cache_folder import cache_folder

PREPARING = "preparing-"
DAYS_FOR_PARTS = 7  # in which a download that was interrupted may continue
DAY_SECONDS = 86_400


@contextlib.contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """A new folder, held by a lock until the block ends; what is then still there is deleted."""
    folder = parent / f"{PREPARING}{secrets.token_hex(4)}"
    try:
        with file_lock(folder):  # before the folder exists, so that nobody takes it for a leftover
            folder.mkdir(0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        _lock_of(folder).unlink(missing_ok=True)


def remove_leftovers() -> None:
    """Delete unfinished files that no process works on any more.

    Downloads are kept for some days, because they can continue.
    """
    # A process that was killed early leaves a lock without a folder.
    left = cache_folder("pictures").glob(f"{PREPARING}*")
    for folder in {path.with_name(path.name.removesuffix(".lock")) for path in left}:
        if _remove_if_free(folder, folder):
            _lock_of(folder).unlink(missing_ok=True)
    for folder in cache_folder("unpacked").glob("*.aside"):
        _remove_if_free(folder, folder.with_name(folder.name.partition(".")[0]))
    for part in cache_folder("downloads").glob("*.part"):
        if _age_in_days(part) > DAYS_FOR_PARTS and _remove_if_free(part, part.with_suffix("")):
            part.with_suffix(".tag").unlink(missing_ok=True)


def _age_in_days(path: Path) -> float:
    """Since it was last written; 0 if it is gone."""
    with contextlib.suppress(OSError):
        return (time.time() - path.lstat().st_mtime) / DAY_SECONDS
    return 0.0


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _remove_if_free(leftover: Path, locked_path: Path) -> bool:
    """Delete a file or folder unless a process holds the lock of `locked_path`."""
    with lock_if_free(locked_path) as is_held:
        if is_held and leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        elif is_held:
            leftover.unlink(missing_ok=True)
    return is_held
