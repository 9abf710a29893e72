"""Files that hold many pictures, or their labels: arrays, films, animations and tables."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.data.fetch.frames import Film, describe_films, read_frames
from gankit.data.fetch.unpack import unpack_pictures
from gankit.data.find import kinds, reasons
from gankit.data.find.names import array_name
from gankit.data.find.picture_file import Holder, PictureFile
from gankit.data.find.tables import Table, read_labels
from gankit.data.read.array_sets import ArraySet, NamedArray, PictureArray, sort_arrays
from gankit.data.read.arrays import ArrayFile
from gankit.data.read.decode import describe_error


class OpenedHolders(NamedTuple):
    """The pictures of a source: those that were there, and those that its holders hold."""

    pictures: list[PictureFile]
    arrays: list[ArrayFile]
    left_out: list[str]  # "path: reason"
    notes: list[str]  # "path: what was found"


def open_holders(
    holders: Sequence[Holder],
    pictures: Sequence[PictureFile],
    stride: int,
    progress: Progress,
    source: str,
    archive: str = "",
) -> OpenedHolders:
    """Add the pictures that files of one source hold, and the labels from its tables.

    Arrays count only where there are no other pictures, as most are then something else. Films and
    animations give every n-th frame; with `stride` 0 only one that is the source itself does.
    `source` is the name of the source, which rows of tables may have in their paths; `archive` is
    that of its file if it is one.
    """
    opened = OpenedHolders([*pictures], [], [], [])
    by_kind: defaultdict[str, list[Holder]] = defaultdict(list)
    for holder in holders:
        by_kind[holder.holds].append(holder)
    films: dict[str, Film] = {}
    moving = by_kind[kinds.ANIMATION] + by_kind[kinds.FILM_FRAMES]
    for holder in sorted(moving, key=lambda holder: holder.file.relative_path):
        if film := _open_film(holder, stride, opened, progress):
            films[holder.file.relative_path] = film
    opened.notes.extend(describe_films(films))
    arrays = [holder.file for holder in by_kind[kinds.NPY]]
    archives = [holder.file for holder in by_kind[kinds.NPZ]]
    if opened.pictures:
        names = sorted(file.relative_path for file in (*arrays, *archives))
        opened.left_out.extend(f"{name}: {reasons.ARRAY}" for name in names)
    else:
        _open_arrays(arrays, archives, opened, progress, archive)
    return _label(opened, [holder.file for holder in by_kind[kinds.TABLE]], source)


def _open_film(
    holder: Holder, stride: int, opened: OpenedHolders, progress: Progress
) -> Film | None:
    """Add the frames of a film or an animation, and return it; of one not asked for, the first."""
    file = holder.file
    is_picture = holder.holds == kinds.ANIMATION
    if not stride and not holder.is_source:
        if is_picture:
            opened.pictures.append(file)
        else:
            opened.left_out.append(f"{file.relative_path}: {reasons.FILM}")
        return None
    try:
        film = read_frames(Path(file.path), stride, progress)
    except ValueError as error:
        opened.left_out.append(f"{file.relative_path}: {describe_error(error)}")
        return None
    if film.total == 1 and is_picture:
        opened.pictures.append(file)
        return None
    for frame in film.frames:
        taken = file._replace(
            path=str(film.folder / frame.file),
            name=f"{file.name}, frame {frame.number}",
            relative_path=f"{file.relative_path}[{frame.number:09d}]",
            part=frame.number,
            film=file.name,
            time=frame.time,
        )
        opened.pictures.append(taken)
    if film.problem:
        line = f"{file.relative_path} {film.problem} after frame {film.total:,}"
        opened.notes.append(f"{line}: the frames before are used")
    return film


def _open_arrays(
    arrays: Sequence[PictureFile],
    archives: Sequence[PictureFile],
    opened: OpenedHolders,
    progress: Progress,
    archive: str,
) -> None:
    """Add the pictures of arrays: those of a folder belong together, and those of an npz."""
    groups: defaultdict[str, list[PictureFile]] = defaultdict(list)
    for file in sorted(arrays, key=lambda file: file.relative_path):
        groups[posixpath.dirname(file.relative_path)].append(file)
    for file in archives:
        try:
            unpacked = unpack_pictures(Path(file.path), progress)
        except GankitError as error:
            reason = str(error).removeprefix(f"{printable(file.path)} ")
            opened.left_out.append(f"{file.relative_path}: {reason}")
            continue
        for member in unpacked.pictures:
            if member.holds == kinds.NPY:
                name = f"{file.relative_path}/{member.name}"
                path = str(unpacked.folder / member.file)
                in_npz = file._replace(
                    path=path, name=f"{file.name}/{member.name}", relative_path=name
                )
                groups[file.relative_path].append(in_npz)
        opened.left_out.extend(f"{file.relative_path}/{line}" for line in unpacked.left_out)
    for folder, files in groups.items():
        _add_array_set(folder or archive, files, opened)


def _add_array_set(folder: str, files: Sequence[PictureFile], opened: OpenedHolders) -> None:
    by_name: dict[str, PictureFile] = {}
    arrays: list[NamedArray] = []
    for file in files:
        try:
            array = ArrayFile(Path(file.path), file.size, file.modified)
        except (ValueError, OSError) as error:
            opened.left_out.append(f"{file.relative_path}: {describe_error(error)}")
            continue
        name = posixpath.basename(file.relative_path)
        by_name[name] = file
        arrays.append(NamedArray(name, array))
    array_set = sort_arrays(arrays, folder)
    opened.notes.extend(array_set.notes)
    opened.left_out.extend(
        f"{by_name[name].relative_path}: {why}" for name, why in array_set.left_out
    )
    for item in array_set.pictures:
        opened.arrays.append(item.array)
        opened.pictures.extend(_pictures_of(by_name[item.name], item, array_set))


def _pictures_of(file: PictureFile, item: PictureArray, array_set: ArraySet) -> list[PictureFile]:
    layout = item.array.layout
    assert layout is not None
    if layout.is_single:
        return [file]
    start = array_name(file.name)
    has_labels = any(other.labels for other in array_set.pictures)
    is_class = len(array_set.pictures) > 1 and not has_labels  # such as cat.npy and dog.npy
    label = posixpath.basename(start) if is_class else ""
    return [
        file._replace(
            name=f"{start}[{index}]",
            relative_path=f"{file.relative_path}[{index:09d}]",
            part=index,
            label=item.labels[index] if item.labels else label,
        )
        for index in range(layout.pictures)
    ]


def _label(opened: OpenedHolders, files: Sequence[PictureFile], source: str) -> OpenedHolders:
    """Give the pictures the labels of the source's tables."""
    if not files:
        return opened
    tables = [
        Table(file.relative_path, file.path, posixpath.dirname(file.relative_path))
        for file in sorted(files, key=lambda file: file.relative_path)
    ]
    pictures = sorted(opened.pictures, key=lambda picture: picture.relative_path)
    labels = read_labels(tables, [picture.relative_path for picture in pictures], source)
    labelled = []
    for number, picture in enumerate(pictures):
        label = labels.by_picture.get(number)
        labelled.append(picture._replace(label=label.text, table=label.table) if label else picture)
    return OpenedHolders(
        labelled,
        opened.arrays,
        opened.left_out,
        [*opened.notes, *labels.notes],
    )
