"""Your progress in the lessons, in a small file in your user data folder."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import platformdirs

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.read_json import (
    Types,
    find_wrong_type,
    has_type,
    is_list_of,
    read_json_object,
)

TYPES: dict[str, Types] = {
    "at": int, "ran": list, "seconds": dict, "prediction": str, "code": str, "steps": str,
    "done": str, "exercise": bool,
}  # fmt: skip
NO_HOME = "HOME is not set"


def progress_file() -> Path:
    """The file; OSError if it is unknown where your home folder is."""
    try:
        folder = Path(platformdirs.user_data_dir("gankit"))
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, NO_HOME) from error
    if not folder.is_absolute():
        raise FileNotFoundError(errno.ENOENT, NO_HOME)
    return folder / "lessons.json"


def load() -> dict[str, dict[str, Any]]:
    """Lesson number -> its saved state. A damaged file counts as empty."""
    try:
        states = read_json_object(progress_file(), "the progress in the lessons")
    except (OSError, GankitError):
        return {}
    return {number: state for number, state in states.items() if _is_state(state)}


def _is_state(state: Any) -> bool:
    """Whether this is the state of a lesson, with all entries of their types."""
    if find_wrong_type(state, TYPES):
        return False
    seconds = state.get("seconds", {}).values()
    return is_list_of(state.get("ran", []), int) and all(has_type(s, int | float) for s in seconds)


def save(number: int, state: dict[str, Any]) -> str:
    """Save the state of one lesson; returns an error message, or an empty text.

    It does not raise: a lesson continues even if its progress cannot be saved.
    """
    states = {**load(), str(number): state}  # loaded again, as another terminal may have saved
    path = Path("lessons.json")
    try:
        path = progress_file()
        write_atomically(path, json.dumps(states, indent=1))
    except OSError as error:
        return f"your progress cannot be saved to {path}: {error.strerror}"
    return ""


def describe(state: dict[str, Any], num_cells: int) -> str:
    """How far you have come in a lesson, for the list."""
    if state.get("done"):
        return f"done, exercise {'right' if state.get('exercise') else 'open'}"
    next_cell = state.get("at")
    return f"stopped at cell {next_cell + 1} of {num_cells + 1}" if next_cell else ""
