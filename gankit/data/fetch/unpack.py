"""Unpacks the pictures of an archive into the cache: regular files only, and nowhere else.

The standard library's extractall trusts archives too much: its own filter was escaped
(CVE-2025-4517). Here a member's name is only a suggestion, links are never made, and bytes are
counted as they are written, whatever the archive says about its sizes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import re
import secrets
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from gankit.core.atomic_write import retry_while_locked, write_atomically
from gankit.core.errors import GankitError
from gankit.core.stop import Progress
from gankit.data.fetch.archives import DamagedArchive, Member, is_archive, iter_members
from gankit.data.messages import MOVE_CACHE, NOT_A_FILE
from gankit.data.read.names import RESERVED, SYSTEM_NAMES, printable
from gankit.data.store.cache import cache_folder
from gankit.data.store.lock import file_lock

__all__ = ["EXTENSIONS", "is_archive", "unpack_pictures"]

EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".jfif", ".mat"}
MAX_TOTAL_BYTES = 50 << 30  # of an archive's pictures together
MIN_FREE_BYTES = 256 << 20  # left free on the disk
MAX_FILE_BYTES = 1 << 30  # of one picture
MAX_RATIO = 200  # a picture of RATIO_BYTES or more seldom compresses so well; a bomb does
RATIO_BYTES = 10 << 20
MAX_ENTRIES = 2_000_000
MAX_NAME_BYTES = 255  # what most disks accept
MAX_DEPTH = 50  # of folders in folders: what programs that walk through them accept
FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
# Errors about a name that the disk cannot store; other errors are about the disk itself.
NAME_ERRORS = (
    errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EINVAL, errno.EILSEQ,
    errno.ENAMETOOLONG,
)  # fmt: skip
log = logging.getLogger("gankit")
LEFT_OUT_FILE = "left_out.json"  # next to the folder "files"; written last
UNPACK_YOURSELF = "unpack it yourself and give the folder with --data"
LAYOUT = 1  # version of the unpacked folder; increase it to unpack every archive again


class _LeftOut(Exception):
    """Why this one file is not unpacked."""


def unpack_pictures(archive: Path, progress: Progress) -> tuple[Path, list[str]]:
    """The folder with the archive's pictures, and a line for each file that was left out.

    Unpacks once: the folder appears complete or not at all. `progress` is called with (archive
    bytes read, size of the archive). Raises GankitError if nothing can be unpacked.
    """
    try:
        archive = archive.resolve()
        info = archive.stat()
        key = repr((LAYOUT, str(archive), info.st_size, info.st_mtime_ns))
        digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        folder = cache_folder("unpacked", digest[:16])
        if not _is_complete(folder):
            _unpack_locked(archive, folder, lambda done: progress(done, info.st_size))
        left_out = json.loads((folder / LEFT_OUT_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})"
        line = f"cannot unpack {archive}: {reason}; {MOVE_CACHE}"
        raise GankitError(printable(line), 1) from error
    return folder / "files", left_out


def _unpack_locked(archive: Path, folder: Path, progress: Callable[[int], None]) -> None:
    """Unpack into a temporary folder and rename it; a second process waits for the first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(folder) as is_held:
        if _is_complete(folder):
            return
        if is_held:  # so what is there was left by a killed process, or is half deleted
            for leftover in (folder, *folder.parent.glob(f"{folder.name}.*.aside")):
                shutil.rmtree(leftover, ignore_errors=True)
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.aside")
        try:
            log.info("unpacking %s", archive)
            _unpack(archive, aside, progress)
            retry_while_locked(lambda: aside.rename(folder))
        except OSError:
            if not _is_complete(folder):  # else another process was faster, on a disk without locks
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _is_complete(folder: Path) -> bool:
    return (folder / LEFT_OUT_FILE).exists()


def _unpack(archive: Path, aside: Path, progress: Callable[[int], None]) -> None:
    """Write the pictures to aside/files, and the names of the files left out to a list."""
    unpacker = _Unpacker(aside / "files", archive)
    try:
        _unpack_members(unpacker, archive, progress)
    except DamagedArchive as error:
        if not unpacker.count and not unpacker.left_out:
            raise _refusal(archive, str(error)) from error
        unpacker.left_out.append(f"the rest {error}")  # the pictures before the damage are kept
    if not unpacker.count:
        reason = f": {unpacker.left_out[0]}" if unpacker.left_out else ""
        raise _refusal(archive, f"holds no pictures that gankit can unpack{reason}")
    write_atomically(aside / LEFT_OUT_FILE, json.dumps(unpacker.left_out))
    progress(archive.stat().st_size)


def _unpack_members(unpacker: _Unpacker, archive: Path, progress: Callable[[int], None]) -> None:
    with contextlib.closing(iter_members(archive)) as members:
        for count, member in enumerate(members):
            if count == MAX_ENTRIES:
                raise _refusal(archive, f"holds more than {MAX_ENTRIES} files; {UNPACK_YOURSELF}")
            progress(member.offset)
            if not _is_picture_name(member.name):
                continue
            if member.is_encrypted:
                raise _refusal(archive, f"is protected by a password; {UNPACK_YOURSELF}")
            try:
                unpacker.add(member)
            except (_LeftOut, DamagedArchive) as reason:
                unpacker.left_out.append(printable(f"{member.name[-200:]}: {reason}"))


def _refusal(archive: Path, reason: str) -> GankitError:
    return GankitError(printable(f"{archive} {reason}"))


def _is_picture_name(name: str) -> bool:
    """Whether the name ends like a picture's, and no part of it is hidden or a system's own."""
    parts = name.replace("\\", "/").split("/")
    is_hidden = any(part.startswith(".") and part.strip(". ") for part in parts)
    system_names = SYSTEM_NAMES & {part.lower() for part in parts}
    return not (is_hidden or system_names) and Path(parts[-1]).suffix.lower() in EXTENSIONS


class _Unpacker:
    """Writes members into a folder: never two files of one name, and never more than fits."""

    def __init__(self, folder: Path, archive: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.archive = archive
        self.left_out: list[str] = []
        self.count = 0  # pictures written
        self.files: set[tuple[str, ...]] = set()
        self.folders: set[tuple[str, ...]] = set()
        free_bytes = shutil.disk_usage(folder).free - MIN_FREE_BYTES
        if free_bytes < MAX_TOTAL_BYTES:
            self.bytes_left = free_bytes
            self.limit = f"more pictures than this disk has room for; {MOVE_CACHE}"
        else:
            self.bytes_left = MAX_TOTAL_BYTES
            limit_gb = MAX_TOTAL_BYTES >> 30
            self.limit = f"more than {limit_gb} GB of pictures; {UNPACK_YOURSELF}"

    def add(self, member: Member) -> None:
        """Write the member's bytes; raises _LeftOut or DamagedArchive, and then leaves no file."""
        if not member.is_file:
            raise _LeftOut(NOT_A_FILE)
        parts = _portable_path(member.name)
        self._reserve_name(parts)
        path = self.folder.joinpath(*parts)
        with _create(path) as file:
            try:
                self._write(file, member)
            except BaseException:
                file.close()  # Windows cannot remove an open file
                path.unlink()
                raise
        self.count += 1

    def _reserve_name(self, parts: list[str]) -> None:
        """Refuse names that differ by case only, so that every disk gets the same files."""
        key = tuple(unicodedata.normalize("NFC", part.casefold()) for part in parts)
        parents = {key[:depth] for depth in range(1, len(key))}
        if key in self.files or key in self.folders or parents & self.files:
            raise _LeftOut("another file has this name already, or one that differs by case only")
        self.files.add(key)
        self.folders |= parents

    def _write(self, file: BinaryIO, member: Member) -> None:
        size = 0
        for chunk in member.chunks():
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise _LeftOut(f"is larger than {MAX_FILE_BYTES >> 20} MB")
            if size > RATIO_BYTES and size > MAX_RATIO * member.packed_bytes():
                raise _LeftOut(f"grows more than {MAX_RATIO}-fold, like a decompression bomb")
            if size > self.bytes_left:
                raise _refusal(self.archive, f"holds {self.limit}")
            file.write(chunk)
        self.bytes_left -= size


def _portable_path(name: str) -> list[str]:
    """The parts of a path below the folder that every disk can store; raises _LeftOut."""
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise _LeftOut("its path is absolute")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _LeftOut("its path leads out of the archive")
    parts = [_portable_name(part) for part in parts]
    if len(parts) > MAX_DEPTH or any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        raise _LeftOut("its name is too long")
    return parts


def _portable_name(part: str) -> str:
    part = unicodedata.normalize("NFC", FORBIDDEN.sub("_", part)).rstrip(" .") or "_"
    stem = part.partition(".")[0].rstrip(" ")
    return f"_{part}" if RESERVED.fullmatch(stem) else part


def _create(path: Path) -> BinaryIO:
    """Open a new file for writing; raises _LeftOut if the disk cannot store its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
    except (OSError, UnicodeEncodeError) as error:
        if isinstance(error, OSError) and error.errno not in NAME_ERRORS:
            raise
        raise _LeftOut("this disk cannot store its name") from error
