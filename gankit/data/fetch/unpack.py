"""Unpacks the pictures of an archive into the cache: regular files only, and nowhere else.

The standard library's extractall trusts archives too far: its own filter was escaped
(CVE-2025-4517). Here a name is only a wish, links are never made, and bytes are counted as they
are written, whatever the archive says of itself.
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

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError
from gankit.core.stop import Progress
from gankit.data.fetch.archives import Damaged, Member, is_archive, members
from gankit.data.read.names import NOBODYS, printable
from gankit.data.store.cache import cache_folder
from gankit.data.store.lock import file_lock

__all__ = ["ENDINGS", "is_archive", "unpacked"]

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".jfif", ".mat"}
ALL_BYTES = 50 << 30  # of an archive's pictures together
SPARE_BYTES = 256 << 20  # of the disk, left free
FILE_BYTES = 1 << 30  # of one picture
RATIO = 200  # a picture of RATIO_BYTES or more seldom packs this well: a bomb does
RATIO_BYTES = 10 << 20
ENTRIES = 2_000_000
NAME_BYTES, DEPTH = 255, 50  # what most disks, and programs that walk through folders, take
# What Windows keeps for devices, whatever ending follows.
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
# What a disk says of names it cannot store; other errors are about the disk itself.
NAME_ERRORS = (
    errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EINVAL, errno.EILSEQ,
    errno.ENAMETOOLONG,
)  # fmt: skip
log = logging.getLogger("gankit")
LIST = "left_out.json"  # beside the folder of files
LAYOUT = 1  # of the unpacked folder; a change makes archives unpack again


class _LeftOut(Exception):
    """Why this one file is not unpacked."""


def unpacked(archive: Path, progress: Progress) -> tuple[Path, list[str]]:
    """The folder of the archive's pictures, and what was left out and why.

    Unpacks once: the folder is there whole or not at all. `progress` is told (bytes of the archive
    read, all of them).
    """
    try:
        archive = archive.resolve()
        about = archive.stat()
        key = repr((LAYOUT, str(archive), about.st_size, about.st_mtime_ns))
        digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        folder = cache_folder("unpacked", digest[:16])
        if not _is_whole(folder):
            _unpack_alone(archive, folder, lambda done: progress(done, about.st_size))
        left_out = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except OSError as error:
        line = f"cannot unpack {archive}: {error.strerror or error} ({error.filename})"
        raise GankitError(printable(f"{line}; GANKIT_CACHE moves the cache"), 1) from error
    return folder / "files", left_out


def _unpack_alone(archive: Path, folder: Path, progress: Callable[[int], None]) -> None:
    """Unpack aside and rename; a second process waits and finds the folder there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(folder) as nobody_else:
        if _is_whole(folder):
            return
        if nobody_else:  # so these are of processes that were killed, or half deleted
            for remains in (folder, *folder.parent.glob(f"{folder.name}.*.aside")):
                shutil.rmtree(remains, ignore_errors=True)
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.aside")
        try:
            log.info("unpacking %s", archive)
            _unpack(archive, aside, progress)
            aside.rename(folder)
        except OSError:
            if not _is_whole(folder):  # else another was faster, where there are no locks
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _is_whole(folder: Path) -> bool:
    return (folder / LIST).exists()


def _unpack(archive: Path, aside: Path, progress: Callable[[int], None]) -> None:
    """Everything worth keeping goes to aside/files, the names of the rest to a list."""
    shelf = _Shelf(aside / "files", archive)
    try:
        _fill(shelf, archive, progress)
    except Damaged as damage:  # what was read until here is kept
        shelf.left_out.append(f"the rest {damage}")
    if not shelf.taken:
        why = f": {shelf.left_out[0]}" if shelf.left_out else ""
        raise GankitError(printable(f"{archive} holds no pictures gankit can unpack{why}"))
    write_atomically(aside / LIST, json.dumps(shelf.left_out))
    progress(archive.stat().st_size)


def _fill(shelf: _Shelf, archive: Path, progress: Callable[[int], None]) -> None:
    with contextlib.closing(members(archive)) as contents:
        for count, member in enumerate(contents):
            if count == ENTRIES:
                raise GankitError(printable(f"{archive} holds more than {ENTRIES} files"))
            progress(member.done)
            if not _is_wanted(member.name):
                continue
            if member.is_locked:
                line = f"{archive} is protected by a password; unpack it yourself"
                raise GankitError(printable(line))
            try:
                shelf.take(member)
            except (_LeftOut, Damaged) as reason:
                shelf.left_out.append(printable(f"{member.name[-200:]}: {reason}"))


def _is_wanted(name: str) -> bool:
    """Whether it is called like a picture, and is none of those that systems hide."""
    *_, last = parts = name.replace("\\", "/").split("/")
    hidden = any(part.startswith(".") and part.strip(". ") for part in parts)
    nobodys = NOBODYS & {part.lower() for part in parts}
    return not (hidden or nobodys) and Path(last).suffix.lower() in ENDINGS


class _Shelf:
    """The folder being filled: no two files of one name, and not more than fits."""

    def __init__(self, folder: Path, archive: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.archive = archive
        self.left_out: list[str] = []
        self.taken = 0
        self.files: set[tuple[str, ...]] = set()
        self.folders: set[tuple[str, ...]] = set()
        self.room = min(ALL_BYTES, shutil.disk_usage(folder).free - SPARE_BYTES)

    def take(self, member: Member) -> None:
        """Write the member's bytes; raises _LeftOut or Damaged, and then leaves no file."""
        if not member.is_file:
            raise _LeftOut("is a link or a device, not a file")
        parts = _safe(member.name)
        self._claim(parts)
        path = self.folder.joinpath(*parts)
        with _create(path) as file:
            try:
                self._write(file, member)
            except BaseException:
                file.close()  # Windows removes no open file
                path.unlink()
                raise
        self.taken += 1

    def _claim(self, parts: list[str]) -> None:
        """Disks that ignore case, and those that do not, shall get the same files."""
        key = tuple(unicodedata.normalize("NFC", part.casefold()) for part in parts)
        above = {key[:depth] for depth in range(1, len(key))}
        if key in self.files or key in self.folders or above & self.files:
            raise _LeftOut("the name is taken already, or differs by case only")
        self.files.add(key)
        self.folders |= above

    def _write(self, file: BinaryIO, member: Member) -> None:
        size = 0
        for piece in member.pieces():
            size += len(piece)
            if size > FILE_BYTES:
                raise _LeftOut(f"is larger than {FILE_BYTES >> 20} MB")
            if size > RATIO_BYTES and size > RATIO * member.packed():
                raise _LeftOut(f"grows more than {RATIO}-fold, like a decompression bomb")
            if size > self.room:
                line = (
                    f"{self.archive} holds more pictures than there is room for, on this disk or in"
                )
                raise GankitError(printable(f"{line} {ALL_BYTES >> 30} GB; unpack it yourself"))
            file.write(piece)
        self.room -= size


def _safe(name: str) -> list[str]:
    """The parts of a path below the folder, fit for every disk, whatever the name is."""
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise _LeftOut("its path is absolute")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _LeftOut("its path leads out of the archive")
    parts = [_tame(part) for part in parts]
    if len(parts) > DEPTH or any(len(part.encode()) > NAME_BYTES for part in parts):
        raise _LeftOut("its name is too long")
    return parts


def _tame(part: str) -> str:
    part = unicodedata.normalize("NFC", FORBIDDEN.sub("_", part)).rstrip(" .") or "_"
    return f"_{part}" if RESERVED.fullmatch(part.partition(".")[0].rstrip(" ")) else part


def _create(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
    except (OSError, UnicodeEncodeError) as error:
        if isinstance(error, OSError) and error.errno not in NAME_ERRORS:
            raise
        raise _LeftOut("this disk does not take its name") from error
