"""Finds pictures: in folders at any depth, in archives and as single files."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.stop import Progress, no_progress
from gankit.data.messages import NO_CLASS_FOLDERS, READS
from gankit.data.read.names import printable
from gankit.data.read.walk import PictureFile, walk_source

Classify = Callable[[list[Path]], list[str]]


class FoundPictures(NamedTuple):
    """The pictures of all sources, in a fixed order, and the files that cannot be read."""

    paths: list[Path]
    names: list[str]  # short names for messages, fit for one line
    classes: list[str]  # the folder that holds each picture; "" at the top of its source
    left_out: list[str]  # "name: reason"
    fingerprint: str  # the same for the same files, even after their source was moved


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
        walk_source(source, number, len(sources) > 1, seen_folders, progress)
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
    left_out = list(dict.fromkeys(line for walk in walks for line in walk.left_out))
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
