"""Finds pictures: in folders at any depth, in archives and as single files."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.stop import Progress
from gankit.data.read.decode import looks_like_picture, why
from gankit.data.read.names import NOBODYS, printable

ENDINGS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
RAWS = frozenset({".arw", ".cr2", ".dng", ".nef"})  # they begin as a TIFF does, with a thumbnail
UNREAD = RAWS | {".avif", ".heic", ".heif", ".jp2", ".jxl", ".psd"}
READS = "gankit reads bmp, gif, jpg, png, tif and webp, in a folder, a zip or a tar"

Classify = Callable[[list[Path]], list[str]]


class Found(NamedTuple):
    """The pictures of all places, in a fixed order, and what could not be had."""

    paths: list[Path]
    names: list[str]  # what a person recognises, fit to print on one line
    classes: list[str]  # the folder each lies in; "" at the top of its place
    left_out: list[str]  # "name: reason"
    fingerprint: str  # the same for the same files, also after their place was moved


class Picture(NamedTuple):
    """One file, as the walk saw it."""

    path: str
    name: str
    place: int  # which of the places
    within: str  # the path from the place on, with forward slashes
    size: int
    time: int

    @property
    def folders(self) -> list[str]:
        """The folders on the way down from the place."""
        return self.within.split("/")[:-1]


def find(
    places: Sequence[str],
    classes: Sequence[str] = (),
    classify: Classify | None = None,
    progress: Progress = lambda done, total: None,
) -> Found:
    """Every picture in the places; `classes` keeps those below folders of these names.

    `classify` tells classes apart where folders do not: it gives one name for each path.
    """
    if not places:
        raise GankitError(f"name a place with --data; {READS}")
    places = [os.fspath(place) for place in places]
    seen: set[tuple[int, int]] = set()
    walks = [_walked(place, i, len(places) > 1, seen, progress) for i, place in enumerate(places)]
    once: dict[str, Picture] = {}
    for picture in (picture for walk in walks for picture in walk.pictures):
        once.setdefault(picture.path, picture)  # places may overlap
    found = list(once.values())
    kinds = _kinds(found, classify)
    if classes:
        ways = [[kind] for kind in kinds] if classify else [picture.folders for picture in found]
        kept = _chosen(classes, ways)
        found, kinds = [found[i] for i in kept], [kinds[i] for i in kept]
    left_out = [line for walk in walks for line in walk.left_out]
    about = repr([picture[2:] for picture in found]).encode()
    paths = [Path(picture.path) for picture in found]
    names = [picture.name for picture in found]
    return Found(paths, names, kinds, left_out, hashlib.sha256(about).hexdigest())


def _kinds(found: list[Picture], classify: Classify | None) -> list[str]:
    """The class of each picture."""
    if classify is None:
        return [printable((["", *picture.folders])[-1]) for picture in found]
    kinds = classify([Path(picture.path) for picture in found])
    if len(kinds) != len(found):
        raise GankitError(f"classify gave {len(kinds)} names for {len(found)} pictures")
    return kinds


def _chosen(classes: Sequence[str], ways: list[list[str]]) -> list[int]:
    """Which pictures lie below a folder of one of these names, whatever its case."""
    folders = [{folder.casefold() for folder in way} for way in ways]
    there = Counter(folder for way in folders for folder in way)
    for name in classes:
        if name.casefold() not in there:
            raise GankitError(f"there is no class {name!r}{_what_there_is(name, there)}")
    wanted = {name.casefold() for name in classes}
    return [index for index, way in enumerate(folders) if way & wanted]


def _what_there_is(name: str, there: Counter[str]) -> str:
    if not there:
        return ": the pictures lie in no class folders; leave --classes away"
    hint = did_you_mean(name, there)
    near = hint if hint.startswith(" Did") else ""  # the list comes with counts below
    shown = ", ".join(f"{printable(kind)} ({count})" for kind, count in sorted(there.items())[:20])
    more = f" and {len(there) - 20} more" if len(there) > 20 else ""
    return f".{near} There is: {shown}{more}."


def _walked(
    place: str, number: int, several: bool, seen: set[tuple[int, int]], progress: Progress
) -> "_Walk":
    """The pictures of a folder, an archive or a single file."""
    root = os.path.abspath(os.path.expanduser(place))  # noqa: PTH100, PTH111 - these never raise
    shown = printable(place)
    if not place.strip() or not os.path.lexists(root):
        raise GankitError(
            f"{shown or repr(place)} does not exist; check the path given with --data"
        )
    walk = _Walk(root, number, place.rstrip("/" + os.sep) if several else "", seen)
    try:
        mode = os.stat(root).st_mode  # noqa: PTH116 - paths are strings here, for speed
        if stat.S_ISDIR(mode):
            walk.folders()
        elif not stat.S_ISREG(mode):
            raise GankitError(f"{shown} is a pipe or a device; {READS}")
        elif looks_like_picture(root):
            walk.file()
        else:
            walk.archive(shown, progress)
    except OSError as error:
        raise GankitError(f"{shown} {why(error)}") from error
    if not walk.pictures and not walk.again:
        first = f" (left out: {walk.left_out[0]})" if walk.left_out else ""
        raise GankitError(f"no pictures in {shown}{first}; {READS}")
    return walk


class _Walk:
    """A walk through one place; no folder is read twice, so links may lead in circles."""

    def __init__(self, root: str, number: int, before: str, seen: set[tuple[int, int]]) -> None:
        self.root, self.number, self.before, self.seen = root, number, before, seen
        self.pictures: list[Picture] = []
        self.left_out: list[str] = []
        self.again = False  # it met a folder that was read before

    def file(self) -> None:
        """The place is a picture itself."""
        whole, self.root = self.root, os.path.dirname(self.root)  # noqa: PTH120
        self.before = os.path.dirname(self.before)  # noqa: PTH120
        self._take(whole, os.stat(whole))  # noqa: PTH116

    def archive(self, shown: str, progress: Progress) -> None:
        from gankit.data.fetch.unpack import is_archive, unpacked  # only archives pay for it

        if not is_archive(Path(self.root)):
            raise GankitError(f"{shown} is neither a picture nor an archive; {READS}")
        folder, left_out = unpacked(Path(self.root), progress)
        self.left_out += [self._named(line) for line in left_out]
        self.root = str(folder)
        self.folders()

    def folders(self) -> None:
        """All folders; those that links lead to come last, so that real ones keep their names."""
        todo = [self.root]
        while todo:
            links: list[str] = []
            for start in sorted(todo):
                folders = [start]
                while folders:
                    self._folder(folders.pop(), folders, links)
            todo = links
        self.pictures.sort(key=lambda picture: picture.within)
        self.left_out.sort()

    def _folder(self, folder: str, folders: list[str], links: list[str]) -> None:
        try:
            about = os.stat(folder)  # noqa: PTH116
            if (about.st_dev, about.st_ino) in self.seen:
                self.again = True
                self._leave(folder, "leads to a folder that is read already")
                return
            self.seen.add((about.st_dev, about.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.name.lower() not in NOBODYS:
                        self._entry(entry, folders, links)
        except OSError as error:
            self._leave(folder, why(error))

    def _entry(self, entry: os.DirEntry[str], folders: list[str], links: list[str]) -> None:
        ending = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122
        try:
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(entry.path)
            elif stat.S_ISREG((about := entry.stat()).st_mode):
                if ending in ENDINGS or (ending not in RAWS and looks_like_picture(entry.path)):
                    self._take(entry.path, about)
                elif ending in UNREAD:
                    self._leave(entry.path, "is of a kind gankit does not read; save it as jpg")
            elif ending in ENDINGS:  # to open a pipe would be to wait for ever
                self._leave(entry.path, "is no file, but a pipe or a device")
        except OSError as error:
            self._leave(entry.path, why(error))

    def _take(self, path: str, about: os.stat_result) -> None:
        within = self._within(path)
        facts = (about.st_size, about.st_mtime_ns)
        self.pictures.append(Picture(path, self._named(within), self.number, within, *facts))

    def _leave(self, path: str, reason: str) -> None:
        name = self._within(path) or ("" if self.before else os.path.basename(path))  # noqa: PTH119
        self.left_out.append(f"{self._named(name)}: {reason}")

    def _within(self, path: str) -> str:
        return path[len(self.root) :].lstrip(os.sep).replace(os.sep, "/")

    def _named(self, within: str) -> str:
        """What a person calls it; with several places, it begins with the place."""
        return printable("/".join(filter(None, (self.before, within))))
