"""Finds pictures by the names that tables of labels give to their files."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gankit.data.find.names import fold

_OF_FILE = re.compile(r"\[\d+\]$")  # frame 7 of a.gif is a.gif[000000007]


class Match(NamedTuple):
    """The pictures that a row of a table names: more than one if the file is a film or an array."""

    pictures: list[int]
    is_by_path: bool  # and not by a part of it, such as the file's name


NO_MATCH = Match([], is_by_path=False)


class PictureIndex:
    """The pictures of one source, by their files."""

    def __init__(self, paths: Sequence[str], source: str = "") -> None:
        """`paths` are those of the pictures below the source, which has the name `source`."""
        self.source = fold(source)
        self.pictures: defaultdict[str, list[int]] = defaultdict(list)  # of a file
        for number, path in enumerate(paths):
            self.pictures[_OF_FILE.sub("", path)].append(number)
        self.folders = {folder for file in self.pictures for folder in _folders_above(file)}
        self.by_name: defaultdict[str, set[str]] = defaultdict(set)  # also without the ending
        self.by_folder_and_name: defaultdict[str, set[str]] = defaultdict(set)
        for file in self.pictures:
            for path in _with_and_without_ending(file):
                self.by_name[posixpath.basename(path)].add(file)
                self.by_folder_and_name[_last_two(posixpath.join(self.source, path))].add(file)

    def find(self, name: str, folder: str) -> Match:
        """The pictures of the file that a row of a table in `folder` names.

        A path counts from the table's folder, from one above it or from the source. A file's name
        alone, or with some of its folders, is one below the table's folder, or, if no picture is
        there, below the nearest folder above it that has some; none if several files have it.
        """
        name = posixpath.normpath(name.replace("\\", "/")).lstrip("/") if name else ""
        if name in ("", "."):
            return NO_MATCH
        nearest = self._nearest(folder)
        starts = _folders_above(folder) if "/" in name else [nearest, ""]
        paths = [posixpath.normpath(posixpath.join(start, name)) for start in (folder, *starts)]
        file = next((path for path in paths if path in self.pictures), None)
        file = file or _first_only(self._by_path(fold(path)) for path in paths)
        if file:
            return Match(self.pictures[file], is_by_path=True)
        file = _first_only([self._by_end_of_path(fold(name), nearest)])
        return Match(self.pictures[file], is_by_path=False) if file else NO_MATCH

    def _nearest(self, folder: str) -> str:
        """The folder, or the nearest one above it, that has pictures."""
        return next(
            (path for path in (folder, *_folders_above(folder)) if path in self.folders), ""
        )

    def _by_path(self, path: str) -> set[str]:
        """The files of this path, in any case and with or without the ending."""
        files = self.by_folder_and_name.get(_last_two(posixpath.join(self.source, path)), set())
        return {file for file in files if path in _with_and_without_ending(file)}

    def _by_end_of_path(self, name: str, folder: str) -> set[str]:
        """The files below a folder whose path ends like this name, or the other way round."""
        if "/" in name:
            files = self.by_folder_and_name.get(_last_two(name), set())
            files = {file for file in files if self._is_in_place(file, posixpath.dirname(name))}
        else:
            files = self.by_name.get(name, set())
        return {file for file in files if file.startswith(f"{folder}/")} if folder else files

    def _is_in_place(self, file: str, place: str) -> bool:
        """Whether a row's folders, `place`, are the last ones above the file, or end with these."""
        folders = posixpath.dirname(fold(file))
        all_folders = posixpath.join(self.source, folders).rstrip("/")
        return _ends_with(all_folders, place) or _ends_with(place, folders or all_folders)


def _with_and_without_ending(file: str) -> tuple[str, str]:
    path = fold(file)
    return path, posixpath.splitext(path)[0]


def _folders_above(path: str) -> list[str]:
    """The folders that hold a path, the nearest first; the last is "", the source."""
    folders = []
    while path:
        path = posixpath.dirname(path)
        folders.append(path)
    return folders


def _last_two(path: str) -> str:
    """A file's name with its folder."""
    return "/".join(path.split("/")[-2:])


def _ends_with(path: str, end: str) -> bool:
    return f"/{path}".endswith(f"/{end}")


def _first_only(groups: Iterable[set[str]]) -> str | None:
    """The file of the first group that has a single one."""
    return next((next(iter(files)) for files in groups if len(files) == 1), None)
