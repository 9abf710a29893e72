"""Finds pictures: in folders at any depth, in archives and as single files."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.stop import Progress, no_progress
from gankit.data.messages import NO_CLASS_FOLDERS, NOT_A_FILE, NOT_FOUND, READS
from gankit.data.read.decode import describe_error, looks_like_picture
from gankit.data.read.names import SYSTEM_NAMES, printable

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
RAW_EXTENSIONS = frozenset({".arw", ".cr2", ".dng", ".nef"})  # they start like a TIFF
UNSUPPORTED = RAW_EXTENSIONS | {".avif", ".heic", ".heif", ".jp2", ".jxl", ".psd"}

Classify = Callable[[list[Path]], list[str]]


class FoundPictures(NamedTuple):
    """The pictures of all sources, in a fixed order, and the files that cannot be read."""

    paths: list[Path]
    names: list[str]  # short names for messages, fit for one line
    classes: list[str]  # the folder that holds each picture; "" at the top of its source
    left_out: list[str]  # "name: reason"
    fingerprint: str  # the same for the same files, even after their source was moved


class PictureFile(NamedTuple):
    """One file, as the walk saw it."""

    path: str
    name: str
    source: int  # the number of its source
    relative_path: str  # below its source, with forward slashes
    size: int  # bytes
    modified: int  # time, ns

    @property
    def folders(self) -> list[str]:
        """The folders between the source and the file."""
        return self.relative_path.split("/")[:-1]


def find_pictures(
    sources: Sequence[str],
    classes: Sequence[str] = (),
    classify: Classify | None = None,
    progress: Progress = no_progress,
) -> FoundPictures:
    """Every picture in the sources: folders, archives and single files, as given with --data.

    `classes` keeps only the pictures below folders of these names. Where folders are not the
    classes, `classify` returns a class name for each path.
    """
    if not sources:
        raise GankitError(f"give the path of your pictures with --data; {READS}")
    sources = [os.fspath(source) for source in sources]
    seen_folders: set[tuple[int, int]] = set()
    walks = [
        _walk_source(source, number, len(sources) > 1, seen_folders, progress)
        for number, source in enumerate(sources)
    ]
    by_path: dict[str, PictureFile] = {}
    for walk in walks:
        for picture in walk.pictures:
            by_path.setdefault(picture.path, picture)  # sources may overlap
    pictures = list(by_path.values())
    class_names = _class_names(pictures, classify)
    if classes:
        if classify:
            candidates = [[class_name] for class_name in class_names]
        else:
            candidates = [picture.folders for picture in pictures]
        kept = _indices_of_classes(classes, candidates)
        pictures = [pictures[index] for index in kept]
        class_names = [class_names[index] for index in kept]
    left_out = [line for walk in walks for line in walk.left_out]
    contents = repr([picture[2:] for picture in pictures]).encode()
    paths = [Path(picture.path) for picture in pictures]
    names = [picture.name for picture in pictures]
    fingerprint = hashlib.sha256(contents).hexdigest()
    return FoundPictures(paths, names, class_names, left_out, fingerprint)


def _class_names(pictures: list[PictureFile], classify: Classify | None) -> list[str]:
    """The class of each picture: what `classify` returns, else the folder that holds it."""
    if classify is None:
        return [printable(picture.folders[-1]) if picture.folders else "" for picture in pictures]
    names = classify([Path(picture.path) for picture in pictures])
    if len(names) != len(pictures):
        raise GankitError(f"classify returned {len(names)} names for {len(pictures)} pictures")
    return names


def _indices_of_classes(classes: Sequence[str], candidates: list[list[str]]) -> list[int]:
    """The pictures that have one of these classes among their candidates, whatever its case."""
    folded = [{name.casefold() for name in names} for names in candidates]
    counts = Counter(name for names in folded for name in names)
    for class_name in classes:
        if class_name.casefold() not in counts:
            raise _unknown_class(class_name, counts)
    requested = {class_name.casefold() for class_name in classes}
    return [index for index, names in enumerate(folded) if names & requested]


def _unknown_class(class_name: str, counts: Counter[str]) -> GankitError:
    if not counts:
        return GankitError(f"there is no class {class_name!r}: the data set {NO_CLASS_FOLDERS}")
    hint = did_you_mean(class_name, counts)
    suggestion = hint if hint.startswith(" Did") else ""  # else a list; the one below has counts
    listed = [f"{printable(name)} ({count})" for name, count in sorted(counts.items())[:20]]
    more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
    return GankitError(
        f"there is no class {class_name!r}.{suggestion} The classes are: {', '.join(listed)}{more}."
    )


def _walk_source(
    source: str,
    number: int,
    with_prefix: bool,
    seen_folders: set[tuple[int, int]],
    progress: Progress,
) -> "_Walk":
    """The pictures of a folder, an archive or a single file."""
    root = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111 - these never raise
    shown = printable(source)
    if not source.strip() or not os.path.lexists(root):
        raise GankitError(f"{shown or repr(source)} {NOT_FOUND}")
    prefix = source.rstrip("/" + os.sep) if with_prefix else ""
    walk = _Walk(root, number, prefix, seen_folders)
    try:
        mode = os.stat(root).st_mode  # noqa: PTH116 - paths are strings here, for speed
        if stat.S_ISDIR(mode):
            walk.add_folders()
        elif not stat.S_ISREG(mode):
            raise GankitError(f"{shown} {NOT_A_FILE}; {READS}")
        elif looks_like_picture(root):
            walk.add_file()
        else:
            walk.add_archive(shown, progress)
    except OSError as error:
        raise GankitError(f"{shown} {describe_error(error)}") from error
    if not walk.pictures and not walk.met_seen_folder:
        first = f" (left out: {walk.left_out[0]})" if walk.left_out else ""
        raise GankitError(f"no pictures in {shown}{first}; {READS}")
    return walk


class _Walk:
    """A walk through one source; no folder is read twice, so links may form cycles."""

    def __init__(
        self, root: str, number: int, prefix: str, seen_folders: set[tuple[int, int]]
    ) -> None:
        self.root = root
        self.number = number  # of the source
        self.prefix = prefix  # of the names, where there are several sources
        self.seen_folders = seen_folders  # (device, inode), shared by all walks
        self.pictures: list[PictureFile] = []
        self.left_out: list[str] = []
        self.met_seen_folder = False

    def add_file(self) -> None:
        """Add the source itself, which is a picture."""
        path = self.root
        self.root = os.path.dirname(path)  # noqa: PTH120
        self.prefix = os.path.dirname(self.prefix)  # noqa: PTH120
        self._add_picture(path, os.stat(path))  # noqa: PTH116

    def add_archive(self, shown: str, progress: Progress) -> None:
        """Unpack the source, and add the pictures from it."""
        from gankit.data.fetch.unpack import is_archive, unpack_pictures  # only archives need it

        if not is_archive(Path(self.root)):
            raise GankitError(f"{shown} is neither a picture nor an archive; {READS}")
        folder, left_out = unpack_pictures(Path(self.root), progress)
        self.left_out += [self._display_name(line) for line in left_out]
        self.root = str(folder)
        self.add_folders()

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
        self.pictures.sort(key=lambda picture: picture.relative_path)
        self.left_out.sort()

    def _scan_folder(self, folder: str, folders: list[str], links: list[str]) -> None:
        """Add the pictures of one folder, and its subfolders to `folders` or `links`."""
        try:
            info = os.stat(folder)  # noqa: PTH116
            if (info.st_dev, info.st_ino) in self.seen_folders:
                self.met_seen_folder = True
                self._leave_out(folder, "is a folder that was read already, under another path")
                return
            self.seen_folders.add((info.st_dev, info.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.name.lower() not in SYSTEM_NAMES:
                        self._add_entry(entry, folders, links)
        except OSError as error:
            self._leave_out(folder, describe_error(error))

    def _add_entry(self, entry: os.DirEntry[str], folders: list[str], links: list[str]) -> None:
        extension = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122
        try:
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(entry.path)
                return
            info = entry.stat()
            if not stat.S_ISREG(info.st_mode):  # opening a pipe would wait forever
                if extension in EXTENSIONS:
                    self._leave_out(entry.path, NOT_A_FILE)
            elif _is_picture(entry.path, extension):
                self._add_picture(entry.path, info)
            elif extension in UNSUPPORTED:
                reason = "is in a format that gankit does not read; save it as jpg"
                self._leave_out(entry.path, reason)
        except OSError as error:
            self._leave_out(entry.path, describe_error(error))

    def _add_picture(self, path: str, info: os.stat_result) -> None:
        relative_path = self._relative_path(path)
        self.pictures.append(
            PictureFile(
                path=path,
                name=self._display_name(relative_path),
                source=self.number,
                relative_path=relative_path,
                size=info.st_size,
                modified=info.st_mtime_ns,
            )
        )

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


def _is_picture(path: str, extension: str) -> bool:
    if extension in EXTENSIONS:
        return True
    return extension not in RAW_EXTENSIONS and looks_like_picture(path)
