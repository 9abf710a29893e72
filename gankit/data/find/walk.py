"""Walks through one source of pictures: a folder, an archive or a single file."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.data.find import kinds, reasons
from gankit.data.find.names import LABEL_FILES, LESSON_FOLDERS, archive_name, is_hidden, online_name
from gankit.data.find.picture_file import Holder, PictureFile
from gankit.data.messages import NOT_A_FILE, NOT_FOUND, READS, summarise
from gankit.data.read.decode import describe_error

if TYPE_CHECKING:
    from gankit.data.read.arrays import ArrayFile

Identity = tuple[int, int] | str  # (device, inode), or the real path

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def walk_source(
    source: str,
    number: int,
    with_prefix: bool,
    seen_folders: set[Identity],
    progress: Progress,
    stride: int = 0,
) -> Walk:
    """The pictures of a folder, an archive or a single file, and the files that were left out.

    `stride` takes every n-th frame of films and animations; 0 decides by the file, and only where
    it is the source itself.
    """
    root = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111 - these never raise
    shown = printable(source)
    if not source.strip() or not os.path.lexists(root):
        raise GankitError(_why_missing(source))
    prefix = source.rstrip("/" + os.sep) if with_prefix else ""
    walk = Walk(root, number, prefix, seen_folders)
    try:
        mode = os.stat(root).st_mode  # noqa: PTH116 - paths are strings here, for speed
        if stat.S_ISDIR(mode):
            walk.add_folders()
        elif not stat.S_ISREG(mode):
            raise GankitError(f"{shown} {NOT_A_FILE}; {READS}")
        else:
            walk.add_file(shown, progress)
    except OSError as error:
        raise GankitError(f"{shown} {describe_error(error)}") from error
    walk.finish(stride, progress)
    if not walk.pictures and not walk.met_seen_folder:
        if walk.is_one_file and walk.left_out:
            reason = walk.left_out[0].partition(": ")[2]
            raise GankitError(f"{shown} {reason}")
        left_out = f" (left out: {summarise(walk.left_out)})" if walk.left_out else ""
        raise GankitError(f"no pictures in {shown}{left_out}; {READS}")
    return walk


def _why_missing(source: str) -> str:
    """The message for a source that does not exist."""
    shown = printable(source)
    if ADDRESS.match(source):
        return f"{shown} is an address and not a path: download it, and give the file with --data"
    parts = re.split("[,;]", source)
    if len(parts) > 1 and all(os.path.lexists(part.strip()) for part in parts):
        return f"{shown} does not exist: give each path with a --data of its own"
    if '"' in source:
        cure = "if it ends in a backslash, leave that out before the closing quotation mark"
        return f"{shown} does not exist: {cure}"
    if any(letter in source for letter in "*?["):
        cure = "give the folder with --data, which takes all pictures in it"
        return f"{shown} does not exist, and gankit does not replace * and ? by names: {cure}"
    return f"{shown or repr(source)} {NOT_FOUND}"


class Walk:
    """A walk through one source; no folder is read twice, so links may form cycles."""

    def __init__(self, root: str, number: int, prefix: str, seen_folders: set[Identity]) -> None:
        self.root = root
        self.number = number  # of the source
        self.prefix = prefix  # of the names, where there are several sources
        self.seen_folders = seen_folders  # shared by all walks
        self.pictures: list[PictureFile] = []
        self.own_pictures: list[PictureFile] = []  # drawn by gankit
        self.left_out: list[str] = []
        self.holders: list[Holder] = []  # files that hold pictures, or labels of pictures
        self.arrays: dict[str, ArrayFile] = {}  # by path
        self.notes: list[str] = []
        self.met_seen_folder = False

    def add_file(self, shown: str, progress: Progress) -> None:
        """Add the source itself, which is a picture or an archive."""
        from gankit.data.fetch.unpack import is_archive  # only archives need it

        path = self.root
        kind = kinds.recognise(os.path.basename(path), _read_start(path))  # noqa: PTH119
        is_npz = kind.holds == kinds.NPZ
        if kind.is_picture or kind.holds in (kinds.NPY, kinds.FILM_FRAMES):
            self.root = os.path.dirname(path)  # noqa: PTH120
            self.prefix = os.path.dirname(self.prefix)  # noqa: PTH120
            info = os.stat(path)  # noqa: PTH116
            name = self._relative_path(path)
            self._add(path, name, info.st_size, info.st_mtime_ns, kind.holds, is_source=True)
        elif is_npz or is_archive(Path(path)):
            self._add_archive(progress)
        else:
            reason = kind.reason
            if reason in ("", reasons.UNKNOWN, reasons.NESTED):
                reason = f"is neither a picture nor an archive; {READS}"
            raise GankitError(f"{shown} {reason}")

    def _add_archive(self, progress: Progress) -> None:
        """Unpack the source, and add the pictures from it."""
        from gankit.data.fetch.unpack import unpack_pictures  # only archives need it

        modified = os.stat(self.root).st_mtime_ns  # noqa: PTH116
        unpacked = unpack_pictures(Path(self.root), progress)
        for picture in unpacked.pictures:
            path = str(unpacked.folder / picture.file)
            self._add(
                path, picture.name, picture.size, modified, picture.holds, is_own=picture.is_own
            )
        self.left_out += [self._display_name(line) for line in unpacked.left_out]

    @property
    def is_one_file(self) -> bool:
        """Whether the source is a film or an array."""
        return any(holder.is_source for holder in self.holders)

    def add_folders(self) -> None:
        """Add the pictures of all folders; linked ones come last, so real ones keep their names."""
        roots = [self.root]
        while roots:
            links: list[str] = []
            for root in sorted(roots):
                folders = [root]
                while folders:
                    self._scan_folder(folders.pop(), folders, links)
            roots = links

    def finish(self, stride: int, progress: Progress) -> None:
        """Leave out what gankit drew, unless the source holds nothing else; sort everything.

        And add the pictures of arrays and films.
        """
        if self.holders:
            from gankit.data.find.holders import open_holders  # only they need numpy's files

            root = Path(self.root)
            archive = "" if root.is_dir() else root.name
            source = archive_name(archive) if archive else root.name
            opened = open_holders(self.holders, self.pictures, stride, progress, source, archive)
            self.pictures = opened.pictures
            self.arrays = {str(array.path): array for array in opened.arrays}
            self.notes = [self._display_name(note) for note in opened.notes]
            self.left_out += [self._display_name(line) for line in opened.left_out]
        if self.pictures:
            for picture in self.own_pictures:
                self.left_out.append(f"{picture.name}: {reasons.OWN_PICTURE}")
        else:
            self.pictures = self.own_pictures
        self.pictures.sort(key=lambda picture: picture.relative_path)
        self.left_out.sort()

    def _scan_folder(self, folder: str, folders: list[str], links: list[str]) -> None:
        """Add the pictures of one folder, and its subfolders to `folders` or `links`."""
        try:
            info = os.stat(folder)  # noqa: PTH116
            identity = _identify(folder, info)
            if identity in self.seen_folders:
                self.met_seen_folder = True
                self._leave_out(folder, "is a folder that was read already, under another path")
                return
            if folder != self.root and _is_run_folder(folder):
                self._leave_out(folder, reasons.RUN_FOLDER)
                return
            self.seen_folders.add(identity)
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not is_hidden(entry.name):
                        self._add_entry(entry, folders, links)
                    elif name := online_name(entry.name):
                        self._leave_out(os.path.join(folder, name), reasons.IN_ICLOUD)  # noqa: PTH118
        except OSError as error:
            self._leave_out(folder, describe_error(error))

    def _add_entry(self, entry: os.DirEntry[str], folders: list[str], links: list[str]) -> None:
        try:
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(entry.path)
                return
            info = entry.stat()
            if not stat.S_ISREG(info.st_mode):  # opening a pipe would wait forever
                if kinds.ending_is_known(entry.name):
                    self._leave_out(entry.path, NOT_A_FILE)
                return
            start = _read_start(entry.path)
            kind = kinds.recognise(entry.name, start)
            is_own = kind.is_picture and kinds.is_own_picture(entry.name, entry.path, start)
        except OSError as error:
            self._leave_out(entry.path, describe_error(error))
            return
        if kind.is_picture or kind.holds:
            name = self._relative_path(entry.path)
            holds = kind.holds
            self._add(entry.path, name, info.st_size, info.st_mtime_ns, holds, is_own=is_own)
        elif kind.reason and entry.name.lower() not in LABEL_FILES:
            self._leave_out(entry.path, kind.reason)

    def _add(
        self,
        path: str,
        relative_path: str,
        size: int,
        modified: int,
        holds: str,
        *,
        is_own: bool = False,
        is_source: bool = False,
    ) -> None:
        """Add a picture, or a file that holds pictures or labels."""
        file = PictureFile(
            path=path,
            name=self._display_name(relative_path),
            source=self.number,
            relative_path=relative_path,
            size=size,
            modified=modified,
        )
        if is_own:
            self.own_pictures.append(file)
        elif holds:
            self.holders.append(Holder(holds, file, is_source))
        else:
            self.pictures.append(file)

    def _leave_out(self, path: str, reason: str) -> None:
        name = self._relative_path(path)
        if not name and not self.prefix:  # the source itself
            name = os.path.basename(path)  # noqa: PTH119
        self.left_out.append(f"{self._display_name(name)}: {reason}")

    def _relative_path(self, path: str) -> str:
        return path[len(self.root) :].lstrip(os.sep).replace(os.sep, "/")

    def _display_name(self, relative_path: str) -> str:
        """The name to show: with several sources, it starts with the source."""
        return printable("/".join(filter(None, (self.prefix, relative_path))))


def _read_start(path: str) -> bytes:
    """The first bytes of a file, enough to recognise it."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - for speed
        return file.read(kinds.START_BYTES)


def _identify(folder: str, info: os.stat_result) -> Identity:
    """What is the same for all paths of a folder. Some network drives of Windows give no inodes."""
    return (info.st_dev, info.st_ino) if info.st_ino else os.path.realpath(folder)


def _is_run_folder(folder: str) -> bool:
    """Whether gankit wrote the folder: a run's, a race's or a lesson's."""
    if os.path.basename(folder) in LESSON_FOLDERS:  # noqa: PTH119
        return True
    for name in kinds.RUN_FILES:
        path = os.path.join(folder, name)  # noqa: PTH118
        if os.path.isfile(path) and kinds.is_run_file(name, _read_start(path)):  # noqa: PTH113
            return True
    return False
