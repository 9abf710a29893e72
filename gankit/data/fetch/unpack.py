"""Unpacks the pictures of an archive into the cache: regular files only, and nowhere else.

The standard library's extractall trusts archives too much: its own filter was escaped
(CVE-2025-4517). Here a member's name is only a suggestion, links are never made, and bytes are
counted as they are written, whatever the archive says about its sizes.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.data.fetch.archives import (
    PACK_AGAIN,
    DamagedArchive,
    LimitReached,
    Member,
    is_archive,
    iter_members,
)
from gankit.data.fetch.limited_writer import MAX_TOTAL_BYTES, LeftOut, LimitedWriter
from gankit.data.fetch.make_once import make_once
from gankit.data.fetch.portable import MAX_PATH_LETTERS, path_parts, path_problem
from gankit.data.find import kinds, reasons
from gankit.data.find.names import LABEL_FILES, LESSON_FOLDERS, is_hidden, online_name
from gankit.data.messages import MOVE_CACHE, NOT_A_FILE, summarise
from gankit.data.store.cache_folder import cache_folder

__all__ = ["Unpacked", "UnpackedPicture", "is_archive", "unpack_pictures"]

MAX_ENTRIES = 2_000_000
KEPT = (*kinds.ARRAYS, kinds.TABLE)  # files that are written like pictures
CONTENTS_FILE = "contents.json"  # next to the folder "files"; written last
LAYOUT = 6  # version of the unpacked folder; increase it to unpack every archive again


class UnpackedPicture(NamedTuple):
    """A picture of an archive, which is now a file in the cache."""

    name: str  # its path in the archive, with forward slashes
    file: str  # its path in the folder: the name, made fit for every disk
    size: int  # bytes
    is_own: bool  # drawn by gankit
    holds: str = ""  # what it holds besides one picture: see kinds.Kind


class Unpacked(NamedTuple):
    """The pictures of an archive, and a line "name: reason" for each file that was left out."""

    folder: Path
    pictures: list[UnpackedPicture]
    left_out: list[str]


def unpack_pictures(archive: Path, progress: Progress) -> Unpacked:
    """The pictures of an archive, unpacked into the cache.

    Unpacks once: the folder appears complete or not at all. `progress` is called with (archive
    bytes read, size of the archive). Raises GankitError if nothing can be unpacked.
    """
    try:
        archive = archive.resolve()
        info = archive.stat()
        key = repr((LAYOUT, str(archive), info.st_size, info.st_mtime_ns))
        digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        folder = cache_folder("unpacked", digest[:16])
        make_once(
            folder,
            CONTENTS_FILE,
            f"unpacking {archive}",
            lambda aside: _unpack(archive, aside, lambda done: progress(done, info.st_size)),
        )
        contents = json.loads((folder / CONTENTS_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})"
        line = f"cannot unpack {archive}: {reason}; {MOVE_CACHE}"
        raise GankitError(printable(line), 1) from error
    pictures = [UnpackedPicture(*fields) for fields in contents["pictures"]]
    return Unpacked(folder / "files", pictures, contents["left_out"])


def _unpack(archive: Path, aside: Path, progress: Callable[[int], None]) -> None:
    """Write the pictures to aside/files, and the list of them and of the files left out."""
    unpacker = _Unpacker(aside / "files", archive)
    try:
        try:
            _unpack_members(unpacker, archive, progress)
        except DamagedArchive as error:
            if not unpacker.pictures and not unpacker.left_out:
                raise _refusal(archive, str(error)) from error
            unpacker.left_out.append(("the rest", str(error)))  # the pictures before it are kept
        unpacker.copy_linked()
    except LimitReached as error:
        raise _refusal(archive, str(error)) from error
    unpacker.leave_out_runs()
    unpacker.leave_out_arrays()
    left_out = [printable(f"{name}: {reason}") for name, reason in unpacker.left_out]
    if all(picture.holds == kinds.TABLE for picture in unpacker.pictures):
        reason = f": {summarise(left_out)}" if left_out else ""
        raise _refusal(archive, f"holds no pictures that gankit can unpack{reason}")
    contents = {"pictures": unpacker.pictures, "left_out": left_out}
    write_atomically(aside / CONTENTS_FILE, json.dumps(contents))
    progress(archive.stat().st_size)


def _shown(name: str) -> str:
    """The name as a folder shows it; only the end of one that is longer than any path can be."""
    return name if len(name) <= MAX_PATH_LETTERS else name[-200:]


def _unpack_members(unpacker: _Unpacker, archive: Path, progress: Callable[[int], None]) -> None:
    with contextlib.closing(iter_members(archive)) as members:
        for count, member in enumerate(members):
            if count == MAX_ENTRIES:
                raise _refusal(archive, f"holds more than {MAX_ENTRIES} files; {PACK_AGAIN}")
            progress(member.offset)
            name = "/".join(path_parts(member.name))
            try:
                unpacker.add(member, name)
            except (LeftOut, DamagedArchive) as reason:
                if kinds.ending_of(name) not in reasons.IGNORED_ENDINGS:
                    unpacker.left_out.append((_shown(name), str(reason)))


def _refusal(archive: Path, reason: str) -> GankitError:
    return GankitError(printable(f"{archive} {reason}"))


def _target(link: Member) -> str:
    return "/".join(path_parts(link.link_to))


class _Unpacker:
    """Decides for each member whether it is written, left out or ignored."""

    def __init__(self, folder: Path, archive: Path) -> None:
        self.writer = LimitedWriter(folder, archive.stat().st_size)
        self.archive = archive
        self.pictures: list[UnpackedPicture] = []
        self.left_out: list[tuple[str, str]] = []  # (name, reason)
        self.links: dict[str, Member] = {}  # by name
        self.run_folders: set[str] = set()  # of gankit's runs, races and lessons

    def add(self, member: Member, name: str) -> None:
        """Write the member if it is a picture; raises LeftOut or DamagedArchive if it is not.

        Files that hold no pictures, such as texts, are ignored. Bytes that do not begin like a
        picture are never written, except a data set's labels.
        """
        if self._is_ignored(member, name):
            return
        if member.link_to:
            self.links[name] = member  # its file may come later
            return
        parts = name.split("/")
        chunks = member.chunks()
        first = next(chunks, b"")
        start = first[: kinds.START_BYTES]
        kind = kinds.recognise(parts[-1], start)
        self._note_run_folders(parts, start)
        if kind.is_picture or kind.holds in KEPT:
            max_bytes = MAX_TOTAL_BYTES if kind.holds in kinds.ARRAYS else None
            data = itertools.chain([first], chunks)
            file, size = self.writer.write(parts, data, member, max_bytes)
            is_own = kinds.is_own_picture(parts[-1], self.writer.folder / file, start)
            self.pictures.append(UnpackedPicture(name, file, size, is_own, kind.holds))
        elif parts[-1].lower() in LABEL_FILES and start.startswith(b"MATLAB"):
            self.writer.write(parts, itertools.chain([first], chunks), member)
        elif kind.reason:
            raise LeftOut(kind.reason)

    def _is_ignored(self, member: Member, name: str) -> bool:
        """Whether the member's name alone says that it does not matter; may raise LeftOut."""
        *folders, last = name.split("/")
        if any(is_hidden(folder) for folder in folders):
            return True
        if is_hidden(last):
            if online := online_name(last):
                self.left_out.append(("/".join([*folders, online]), reasons.IN_ICLOUD))
            return True
        if not (member.is_file or member.link_to):
            if kinds.ending_is_known(last):
                raise LeftOut(NOT_A_FILE)
            return True
        if problem := path_problem(member.name):
            raise LeftOut(problem)
        if member.is_encrypted and kinds.ending_of(last) not in reasons.IGNORED_ENDINGS:
            raise _refusal(self.archive, f"is protected by a password; {PACK_AGAIN}")
        return member.is_encrypted

    def _note_run_folders(self, parts: list[str], start: bytes) -> None:
        """Note the folders of gankit's runs, races and lessons that this member shows."""
        folders = parts[:-1]
        if folders and kinds.is_run_file(parts[-1], start):
            self.run_folders.add("/".join(folders))
        for depth, folder in enumerate(folders, start=1):
            if folder in LESSON_FOLDERS:
                self.run_folders.add("/".join(folders[:depth]))

    def copy_linked(self) -> None:
        """Copy the pictures of this archive that its links lead to, as a folder has them."""
        pictures = {picture.name: picture for picture in self.pictures}
        while True:
            ready = [name for name, link in self.links.items() if _target(link) in pictures]
            if not ready:
                break
            for name in ready:
                link = self.links.pop(name)
                try:
                    pictures[name] = self._copy(pictures[_target(link)], name, link)
                except LeftOut as reason:
                    self.left_out.append((name, str(reason)))
        self.pictures = list(pictures.values())
        for name in self.links:
            if kinds.ending_is_known(name):
                self.left_out.append((name, reasons.LINK))

    def _copy(self, picture: UnpackedPicture, name: str, link: Member) -> UnpackedPicture:
        data = (self.writer.folder / picture.file).read_bytes()
        packed = link._replace(packed_bytes=lambda: picture.size)  # its archive is closed
        file, size = self.writer.write(name.split("/"), iter([data]), packed)
        return UnpackedPicture(name, file, size, picture.is_own, picture.holds)

    def leave_out_arrays(self) -> None:
        """Leave out arrays if the archive has ordinary pictures."""
        if all(picture.holds in KEPT for picture in self.pictures):
            return
        for picture in [p for p in self.pictures if p.holds in kinds.ARRAYS]:
            (self.writer.folder / picture.file).unlink()
            self.pictures.remove(picture)
            self.left_out.append((picture.name, reasons.ARRAY))

    def leave_out_runs(self) -> None:
        """Leave out the folders of gankit's runs, and name each outermost one."""
        for folder in sorted(self.run_folders):
            inside = f"{folder}/"
            if not any(inside.startswith(f"{name}/") for name, _ in self.left_out):
                for picture in self.pictures:
                    if picture.name.startswith(inside):
                        (self.writer.folder / picture.file).unlink()
                self.pictures = [p for p in self.pictures if not p.name.startswith(inside)]
                self.left_out = [line for line in self.left_out if not line[0].startswith(inside)]
                self.left_out.append((folder, reasons.RUN_FOLDER))
