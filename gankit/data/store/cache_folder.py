"""The user's cache folder: downloads, unpacked archives and prepared pictures."""

import functools
import logging
import os
import tempfile
from pathlib import Path

import platformdirs

from gankit.core.errors import GankitError
from gankit.data.messages import MOVE_CACHE

log = logging.getLogger("gankit")


def cache_folder(*parts: str) -> Path:
    """A path in the cache, which GANKIT_CACHE moves; it need not exist yet.

    If there is no home folder, or it cannot be written, the path is in the temporary folder, except
    for what the cache in the home folder already holds. Raises GankitError.
    """
    chosen = os.environ.get("GANKIT_CACHE")
    if chosen:
        return Path(_expand_home(chosen), *parts)
    folder = _user_cache_folder()
    if folder is not None and (_can_write(folder) or os.path.lexists(Path(folder, *parts))):
        return Path(folder, *parts)
    return Path(_temporary_folder(folder), *parts)


def ensure_temporary_folder() -> None:
    """Let Python's temporary files be in the cache if no temporary folder of the system can be
    written, as in a read-only container: torch needs one for its optimisers. Raises GankitError.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folder = cache_folder("temporary")
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = str(folder)


def _expand_home(path: str) -> str:
    expanded = os.path.expanduser(path)  # noqa: PTH111 - this one never raises
    if expanded.startswith("~"):
        reason = f"GANKIT_CACHE is {path!r}, but there is no home folder for ~"
        raise GankitError(f"{reason}: set it to a path that starts with /")
    return expanded


def _user_cache_folder() -> Path | None:
    """None without a home folder: HOME is not set, and the system does not know the user."""
    try:
        folder = Path(platformdirs.user_cache_dir("gankit"))
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


def _can_write(folder: Path) -> bool:
    """Whether the folder can be written or, if it does not exist, created."""
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    is_folder = os.path.isdir(existing)  # noqa: PTH112 - this one never raises
    return is_folder and os.access(existing, os.W_OK | os.X_OK)


@functools.cache  # so that it is said once
def _temporary_folder(unwritable: Path | None) -> Path:
    """A cache folder for this user in the temporary folder, and a line that says so."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    reason = f"{unwritable} cannot be written" if unwritable else "there is no home folder"
    try:
        folder = Path(tempfile.gettempdir(), f"gankit-{user}")
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        why = f"{reason}, and a temporary folder cannot be made: {error.strerror}"
        raise GankitError(f"{why}; {MOVE_CACHE}") from error
    log.warning("%s, so pictures are kept in %s; %s", reason, folder, MOVE_CACHE)
    return folder
