"""The names of an archive's files, made fit for every disk."""

import re
import unicodedata

from gankit.data.fetch.archives import PACK_AGAIN
from gankit.data.find.names import RESERVED

NAME_TOO_LONG = "its name is too long: give it a shorter one, and pack the archive again"
MAX_NAME_BYTES = 255  # what most disks accept
MAX_PATH_LETTERS = 4096  # no system can open a file of a longer path
MAX_DEPTH = 50  # of folders in folders: what programs that walk through them accept
FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def path_parts(name: str) -> list[str]:
    """The parts of a path in an archive, as they are spelled there."""
    return [part for part in name.split("/") if part not in ("", ".")]


def path_problem(name: str) -> str:
    """Why no file may have this path: it leads out of its folder, or is too long; "" if it may."""
    if len(name) > MAX_PATH_LETTERS:
        return NAME_TOO_LONG
    if name.startswith("/") or re.match("[A-Za-z]:/", name):
        return f"its path is absolute: {PACK_AGAIN}"
    parts = path_parts(name)
    if ".." in parts:
        return f"its path leads out of the archive: {PACK_AGAIN}"
    longest = max((len(portable_name(part).encode()) for part in parts), default=0)
    if len(parts) > MAX_DEPTH or longest > MAX_NAME_BYTES:
        return NAME_TOO_LONG
    return ""


def portable_name(part: str) -> str:
    """A file's or folder's name in characters that every disk can store."""
    part = unicodedata.normalize("NFC", FORBIDDEN.sub("_", part)).rstrip(" .") or "_"
    stem = part.partition(".")[0].rstrip(" ")
    return f"_{part}" if RESERVED.fullmatch(stem) else part


class PortableNames:
    """Gives every file a path that differs from all others by more than the case of letters.

    So every disk gets the same files.
    """

    def __init__(self) -> None:
        self.names: set[tuple[str, ...]] = set()  # as in the archive
        self.files: set[tuple[str, ...]] = set()
        self.folders: set[tuple[str, ...]] = set()
        self.renamed = 0

    def reserve(self, parts: list[str]) -> list[str]:
        """The parts of a new file's path: portable names, or if they are taken, `~1/NAME`.

        Empty if a file of the very same name has a path already.
        """
        if tuple(parts) in self.names:
            return []
        self.names.add(tuple(parts))
        path = [portable_name(part) for part in parts]
        while not self._is_free(_fold(path)):
            self.renamed += 1
            path = [f"~{self.renamed}", path[-1]]
        key = _fold(path)
        self.files.add(key)
        self.folders |= _parents(key)
        return path

    def _is_free(self, key: tuple[str, ...]) -> bool:
        return not (key in self.files or key in self.folders or _parents(key) & self.files)


def _fold(parts: list[str]) -> tuple[str, ...]:
    """The parts as a disk that ignores case sees them."""
    return tuple(unicodedata.normalize("NFC", part.casefold()) for part in parts)


def _parents(key: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {key[:depth] for depth in range(1, len(key))}
