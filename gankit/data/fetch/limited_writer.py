"""Writes the files of an archive into a folder: no name twice, and never more than fits."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gankit.data.fetch.archives import (
    LIKE_A_BOMB,
    MAX_RATIO,
    PACK_AGAIN,
    LimitReached,
    Member,
)
from gankit.data.fetch.portable import PortableNames
from gankit.data.messages import MOVE_CACHE

MAX_TOTAL_BYTES = 50 << 30  # of an archive's pictures together
MIN_FREE_BYTES = 256 << 20  # left free on the disk
MAX_FILE_BYTES = 1 << 30  # of one picture
RATIO_BYTES = 10 << 20  # what a picture, and all of them together, may have whatever their ratio
BLOCK_BYTES = 4096  # that a file of a single byte takes on most disks
# Errors about a name that the disk cannot store; other errors are about the disk itself.
NAME_ERRORS = (
    errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EINVAL, errno.EILSEQ,
    errno.ENAMETOOLONG,
)  # fmt: skip


class LeftOut(Exception):
    """Why this one file is not unpacked."""


class LimitedWriter:
    """Writes files into a new folder, whatever an archive says about their names and sizes."""

    def __init__(self, folder: Path, archive_bytes: int) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.ratio_bytes = max(RATIO_BYTES, MAX_RATIO * archive_bytes)
        self.ratio_bytes_left = self.ratio_bytes
        self.names = PortableNames()
        free_bytes = shutil.disk_usage(folder).free - MIN_FREE_BYTES
        if free_bytes < MAX_TOTAL_BYTES:
            self.bytes_left = free_bytes
            self.limit = f"holds more pictures than this disk has room for; {MOVE_CACHE}"
        else:
            self.bytes_left = MAX_TOTAL_BYTES
            limit_gb = MAX_TOTAL_BYTES >> 30
            self.limit = f"holds more than {limit_gb} GB of pictures; {PACK_AGAIN}"

    def write(
        self,
        parts: list[str],
        chunks: Iterator[bytes],
        member: Member,
        max_bytes: int | None = None,
    ) -> tuple[str, int]:
        """Write a new file; returns its path below the folder, and its size in bytes.

        It may have `max_bytes`, by default MAX_FILE_BYTES. Raises LeftOut, LimitReached or what
        `chunks` raises, and then leaves no file.
        """
        file_parts = self.names.reserve(parts)
        if not file_parts:
            raise LeftOut("another file has this name already")
        path = self.folder.joinpath(*file_parts)
        with _create(path) as file:
            try:
                size = self._write_chunks(file, chunks, member, max_bytes or MAX_FILE_BYTES)
            except BaseException:
                file.close()  # Windows cannot remove an open file
                path.unlink()
                raise
        return "/".join(file_parts), size

    def _write_chunks(
        self, file: BinaryIO, chunks: Iterator[bytes], member: Member, max_file_bytes: int
    ) -> int:
        """Write the chunks, as long as they are within all limits; returns their size."""
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > max_file_bytes:
                raise LeftOut(f"is larger than {max_file_bytes >> 20} MB")
            max_bytes = min(self.ratio_bytes, MAX_RATIO * member.packed_bytes())
            if size > max(RATIO_BYTES, max_bytes):
                raise LeftOut(LIKE_A_BOMB)
            if size > self.bytes_left:
                raise LimitReached(self.limit)
            if _bytes_on_disk(size) > self.ratio_bytes_left:
                raise LimitReached(f"{LIKE_A_BOMB}; {PACK_AGAIN}")
            file.write(chunk)
        self.bytes_left -= size
        self.ratio_bytes_left -= _bytes_on_disk(size)
        return size


def _bytes_on_disk(size: int) -> int:
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def _create(path: Path) -> BinaryIO:
    """Open a new file for writing; raises LeftOut if the disk cannot store its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
    except (OSError, UnicodeEncodeError) as error:
        if isinstance(error, OSError) and error.errno not in NAME_ERRORS:
            raise
        raise LeftOut("this disk cannot store its name") from error
