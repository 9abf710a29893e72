"""Paths in files that are given away: they mean the same elsewhere and do not name your home."""

from __future__ import annotations

import os
import re
from pathlib import Path

# What may stand before a path in a text; so `/root/` is not found inside `/mnt/root/`.
_CASE = re.IGNORECASE if os.name == "nt" else re.RegexFlag(0)  # as the system reads paths
_BEFORE_PATH = r"(?<![^\s'\"=,:;(>\[])"

# Of a path such as /mnt or /home, whose folders seldom move together.
SHARED_PARTS = 2


def home_folder() -> Path | None:
    """Your home folder, without links; None if it is unknown or the root of the disk."""
    text = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises if it is unknown
    home = Path(text).resolve()
    return home if text != "~" and home.parent != home else None


def portable_path(path: str, start: Path, working_folder: Path) -> str:
    """How a file in the folder `start` names a path.

    Relative to `start` if both lie in one folder of yours, or in or beside the working folder, so
    that they may move together; else `~/...` if it is below your home; else absolute. A text that
    names nothing on the disk, such as a URL, is returned unchanged.
    """
    if not _names_a_file(path):
        return path
    place = _real(path)
    start = start.resolve()
    home = home_folder()
    in_home = home is not None and place.is_relative_to(home)
    if _move_together(place, start, working_folder.resolve(), home if in_home else None):
        return Path(os.path.relpath(place, start)).as_posix()
    if home is not None and in_home:
        return (Path("~") / place.relative_to(home)).as_posix()
    return os.path.abspath(path)  # noqa: PTH100 - without following links


def path_from_here(path: Path) -> str:
    """How a command that is typed in the working folder names a path; not by your home folder."""
    return portable_path(str(path), Path.cwd(), Path.cwd())


def _move_together(place: Path, start: Path, working_folder: Path, home: Path | None) -> bool:
    """Whether two paths are so near to each other that they probably move together.

    `home` is given if `place` lies in it: a relative path from outside would name it.
    """
    try:
        common = Path(os.path.commonpath((place, start)))
    except ValueError:  # on two drives of Windows
        return False
    if common.parent == common or (home is not None and not common.is_relative_to(home)):
        return False
    if common.is_relative_to(working_folder):
        return True
    is_beside = common == working_folder.parent
    return common != home and (is_beside or len(common.parts) > SHARED_PARTS)


def resolve_path(text: str, start: Path) -> str:
    """The path that a file in the folder `start` names with `text`; the inverse of `portable_path`.

    Relative to the working directory if it lies in that, else absolute.
    """
    path = os.path.join(start.resolve(), os.path.expanduser(text))  # noqa: PTH111, PTH118
    return shorten_path(os.path.normpath(path))


def shorten_path(path: str) -> str:
    """An absolute path, relative to the working directory if it lies in that.

    From a folder above your home it stays absolute, so that `hide_home` finds your home in it.
    """
    here = Path.cwd()
    home = home_folder()
    is_above_home = home is not None and home != here and home.is_relative_to(here)
    if is_above_home or not Path(path).is_relative_to(here):
        return path
    return os.path.relpath(path, here)


def path_exists(path: str) -> bool:
    """Whether a path, which may start with `~`, exists; False if it cannot be looked up."""
    return os.path.exists(os.path.expanduser(path))  # noqa: PTH110, PTH111


def real_path(path: str) -> str:
    """The absolute path without links; `path` may start with `~`."""
    return os.path.realpath(os.path.expanduser(path))  # noqa: PTH111


def hide_home(text: str) -> str:
    """The text with `~` in place of your home folder, in each path that begins with it."""
    home = home_folder()
    if home is None:
        return text
    folders = [str(home), os.path.expanduser("~")]  # noqa: PTH111
    folders += [folder.replace("\\", r"\\") for folder in folders]  # in JSON, on Windows
    for folder in folders:
        pattern = re.compile(rf"{_BEFORE_PATH}{re.escape(folder)}(?![\w.-])", _CASE)
        text = pattern.sub("~", text)
    return text


def _names_a_file(path: str) -> bool:
    """Whether a text names something on the disk, or numbered files, as in `{000..099}.tar`."""
    return "://" not in path and ("{" in path or path_exists(path))


def _real(path: str) -> Path:
    """The absolute path without links, but with its own name if it is a link itself."""
    absolute = Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111
    return absolute.parent.resolve() / absolute.name
