"""Finds pictures: in folders at any depth, in archives and as single files."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.printable import printable
from gankit.core.progress import Progress, no_progress
from gankit.data.find.names import archive_name, class_name, fold, unify_letters
from gankit.data.find.picture_file import Moment, PictureFile
from gankit.data.find.walk import Identity, Walk, walk_source
from gankit.data.messages import NO_CLASS_FOLDERS, READS, name_tables

if TYPE_CHECKING:
    from gankit.data.read.arrays import ArrayFile

Classify = Callable[[list[Path]], list[str]]


class FoundPictures(NamedTuple):
    """The pictures of all sources, in a fixed order, and the files that cannot be read."""

    paths: list[Path]
    names: list[str]  # short names for messages, fit for one line
    classes: list[str]  # of each picture: its label, or its folder; "" at the top of an only source
    left_out: list[str]  # "name: reason"
    fingerprint: str  # the same for the same files, even after their source was moved
    parts: list[int]  # which picture of an array each is; -1 for a file of its own
    arrays: dict[str, ArrayFile]  # by path
    moments: list[Moment | None]  # of frames of films; empty without films
    file_notes: list[str]  # what there is to say about arrays, films and tables of labels
    label_tables: list[str]  # the tables that the labels are from


def find_pictures(
    sources: Sequence[str],
    classes: Sequence[str] = (),
    classify: Classify | None = None,
    progress: Progress = no_progress,
    stride: int = 0,
) -> FoundPictures:
    """Every picture in the sources: folders, archives and single files, as given with --data.

    `classes` keeps only the pictures below folders of these names. Where folders are not the
    classes, `classify` returns a class name for each path. Labels beside the pictures, in a table
    or an array, are classes too. `stride` takes every n-th frame of films and animations.
    """
    if not sources:
        raise GankitError(f"give the path of your pictures with --data; {READS}")
    sources = [os.fspath(source) for source in sources]
    walks = _walk_all(sources, progress, stride)
    pictures = _unique(picture for walk in walks for picture in walk.pictures)
    class_names = _class_names(pictures, sources, classify)
    label_tables = sorted({picture.table for picture in pictures if picture.table and not classify})
    if classes:
        candidates = _candidates(pictures, class_names, classify)
        class_of = _choose_classes(classes, candidates, label_tables)
        pictures = [pictures[index] for index in class_of]
        class_names = [class_name(name) for name in class_of.values()]
    return FoundPictures(
        paths=[Path(picture.path) for picture in pictures],
        names=[picture.name for picture in pictures],
        classes=class_names,
        left_out=list(dict.fromkeys(line for walk in walks for line in walk.left_out)),
        fingerprint=_fingerprint(pictures),
        parts=[-1 if picture.film else picture.part for picture in pictures],
        arrays={path: array for walk in walks for path, array in walk.arrays.items()},
        moments=_moments(pictures),
        file_notes=list(dict.fromkeys(note for walk in walks for note in walk.notes)),
        label_tables=label_tables,
    )


def _walk_all(sources: Sequence[str], progress: Progress, stride: int) -> list[Walk]:
    seen_folders: set[Identity] = set()
    return [
        walk_source(source, number, len(sources) > 1, seen_folders, progress, stride)
        for number, source in enumerate(sources)
    ]


def _unique(pictures: Iterable[PictureFile]) -> list[PictureFile]:
    """The pictures, each once, as sources may overlap."""
    by_place: dict[tuple[str, int], PictureFile] = {}
    for picture in pictures:
        by_place.setdefault((picture.path, picture.part), picture)
    return list(by_place.values())


def _candidates(
    pictures: list[PictureFile], class_names: list[str], classify: Classify | None
) -> list[list[str]]:
    """The names by which each picture may be chosen: its class and, as a rule, its folders."""
    if classify:
        return [[name] for name in class_names]
    pairs = zip(class_names, pictures, strict=True)
    return [[*picture.folders, name] for name, picture in pairs]


def _moments(pictures: list[PictureFile]) -> list[Moment | None]:
    """When each frame of a film is seen; empty if there are no films."""
    if not any(picture.film for picture in pictures):
        return []
    return [Moment(picture.film, picture.time) if picture.film else None for picture in pictures]


def _fingerprint(pictures: list[PictureFile]) -> str:
    contents = repr([picture[2:6] for picture in pictures])
    labels = [picture.label for picture in pictures]
    if any(labels):
        contents += repr(labels)
    return hashlib.sha256(contents.encode()).hexdigest()


def _class_names(
    pictures: list[PictureFile], sources: Sequence[str], classify: Classify | None
) -> list[str]:
    """The class of each picture: what `classify` returns, or its label, else its folder.

    Of several sources, each is a class for the pictures at its top.
    """
    if classify is None:
        tops = [""] * len(sources)
        if len(sources) > 1:
            singles = {picture.path for picture in pictures if picture.part < 0}
            tops = _shorten([_name_of_source(source, singles) for source in sources], sources)
        folders = [p.folders[-1] if p.folders else tops[p.source] for p in pictures]
        pairs = zip(pictures, folders, strict=True)
        return [class_name(picture.label or folder) for picture, folder in pairs]
    names = classify([Path(picture.path) for picture in pictures])
    if len(names) != len(pictures):
        raise GankitError(f"classify returned {len(names)} names for {len(pictures)} pictures")
    return list(map(unify_letters, names))


def _shorten(names: list[str], sources: Sequence[str]) -> list[str]:
    """The names, those of archives up to the first dot if they still differ: `cats` of cats.v1."""
    pairs = zip(names, sources, strict=True)
    short = [name.partition(".")[0] if archive_name(path) != path else name for name, path in pairs]
    return short if len(set(short)) == len(set(names)) else names


def _name_of_source(source: str, singles: Collection[str]) -> str:
    """The name of a source without the ending of its file; empty for one of the single pictures."""
    path = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111 - links keep theirs
    name = os.path.basename(path)  # noqa: PTH119
    if path in singles:
        return ""
    if os.path.isdir(path):  # noqa: PTH112
        return name
    without_ending = archive_name(name)
    return without_ending if without_ending != name else os.path.splitext(name)[0]  # noqa: PTH122


def _choose_classes(
    classes: Sequence[str], candidates: list[list[str]], label_tables: Sequence[str]
) -> dict[int, str]:
    """The pictures with one of these classes among their candidates, whatever its case.

    The index of each picture -> its class, the last one of its candidates that is requested.
    """
    folded = [{fold(name) for name in names if name} for names in candidates]
    counts = Counter(name for names in folded for name in names)
    requested = set()
    for name in _with_commas(classes, counts):
        if fold(name) not in counts:
            raise _unknown_class(name, counts, label_tables)
        requested.add(fold(name))
    return {
        index: name
        for index, names in enumerate(candidates)
        for name in names
        if fold(name) in requested
    }


def _with_commas(parts: Sequence[str], counts: Counter[str]) -> list[str]:
    """The names of classes; one with commas may be in several parts, as of `--classes A,B`."""
    most = 1 + max((name.count(",") for name in counts), default=0)
    names = []
    start = 0
    while start < len(parts):
        for length in range(most, 0, -1):  # without a class, the last is a part alone
            name = ",".join(parts[start : start + length])
            if fold(name) in counts:
                break
        names.append(name)
        start += length
    return names


def _unknown_class(name: str, counts: Counter[str], label_tables: Sequence[str]) -> GankitError:
    if not counts:
        return GankitError(f"there is no class {name!r}: the data set {NO_CLASS_FOLDERS}")
    hint = did_you_mean(name, counts)
    suggestion = hint if hint.startswith(" Did") else ""  # else a list; the one below has counts
    listed = [f"{printable(item)} ({count})" for item, count in sorted(counts.items())[:20]]
    more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
    classes = f"{', '.join(listed)}{more}{name_tables(label_tables)}"
    return GankitError(f"there is no class {name!r}.{suggestion} The classes are: {classes}.")
