"""Paths of pictures in run.json and race.json: as seen from the file's own folder.

A file that has the entry `begun_in`, the folder in which its `command` works, names paths in this
way. Older files name them as seen from the folder where the run began, which they do not tell.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit.core.files.portable_path import path_exists, portable_path, resolve_path, shorten_path
from gankit.core.files.read_json import read_json_object
from gankit.core.run.init_text import change_path


def begun_in(file: Path) -> Path:
    """The folder in which the run of a file was begun.

    The working directory if the run is new, or if it or its pictures were moved since.
    """
    try:
        record = read_json_object(file, "a record of paths", {"begun_in": str, "data": list})
        folder = Path(resolve_path(record["begun_in"], file.parent))
        places = recorded_places(record, record.get("data", ()), file.parent)
    except (GankitError, ValueError, TypeError, KeyError):
        return Path.cwd()
    return folder if folder.is_dir() and all(map(path_exists, places)) else Path.cwd()


def path_entries(file: Path, data: Sequence[str], init: str) -> dict[str, Any]:
    """The entries of a new file that name paths: those of pictures and base, and `begun_in`."""
    start = begun_in(file)

    def portable(path: str) -> str:
        return portable_path(path, file.parent, start)

    return {
        "data": [portable(path) for path in data],
        "init": change_path(init, portable),
        "begun_in": portable(str(start)),
    }


def find_paths(
    record: Mapping[str, Any], settings: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Where the pictures and the base of a run are now, if its settings name them.

    `record`: what the file in `folder` holds, which says how paths in the settings are meant.
    """

    def find(path: str) -> str:
        return find_data(record, [path], folder)[0]

    places: dict[str, Any] = {}
    if settings.get("data"):
        places["data"] = find_data(record, settings["data"], folder)
    if settings.get("init"):
        places["init"] = change_path(settings["init"], find)
    return places


def recorded_places(record: Mapping[str, Any], data: Sequence[str], folder: Path) -> list[str]:
    """Where a file in `folder` says that its pictures are, as seen from the working directory."""
    if "begun_in" not in record:
        return list(data)
    return [_resolve(text, folder) for text in data]


def find_data(record: Mapping[str, Any], data: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Where the pictures of a file in `folder` are now.

    Pictures that are not at the recorded place are looked for at the same path around the working
    directory and the folder. If they are nowhere, the recorded place is returned.
    """
    places = recorded_places(record, data, folder)
    return tuple(map(_find_moved, data, places, [folder] * len(places)))


def _resolve(text: str, folder: Path) -> str:
    """The path that a text in `folder` names, or the text itself if it is a name, not a path."""
    path = resolve_path(text, folder)
    is_path = path_exists(path) or "{" in text or text.startswith((os.pardir, "~"))
    return path if is_path else text


def _find_moved(text: str, place: str, folder: Path) -> str:
    if path_exists(place) or "{" in text or Path(text).is_absolute() or text.startswith("~"):
        return place
    return next(filter(path_exists, _other_places(text, folder)), place)


def _other_places(text: str, folder: Path) -> Iterator[str]:
    """The same path seen from the working directory, from the folder and from those above it."""
    parts = [part for part in Path(text).parts if part != os.pardir]
    if not parts:
        return
    yield str(Path(*parts))
    for start in (folder.resolve(), *folder.resolve().parents):
        yield shorten_path(str(start.joinpath(*parts)))
