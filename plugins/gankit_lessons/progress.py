"""What a learner has done, in a small file of the user's; nobody else reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import platformdirs

from gankit.core.atomic_write import write_atomically


def file() -> Path:
    return Path(platformdirs.user_data_dir("gankit"), "lessons.json")


def load() -> dict[str, dict[str, Any]]:
    """Lesson number -> what is known of it. A damaged file counts as none."""
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    kept = found.items() if isinstance(found, dict) else ()
    return {number: state for number, state in kept if isinstance(state, dict)}


def save(number: int, state: dict[str, Any]) -> str:
    """Write one lesson's state, the file whole or not at all; returns what is wrong, if anything.

    A lesson goes on where nothing can be written: in an examination room, on a full disk.
    """
    everything = {**load(), str(number): state}  # read again: another terminal may have written
    path = file()
    try:
        write_atomically(path, json.dumps(everything, indent=1))
    except OSError as error:
        return f"what you have done cannot be remembered: {path}: {error.strerror}"
    return ""


def words(state: dict[str, Any], cells: int) -> str:
    """How far one has come, in a few words."""
    if state.get("done"):
        return f"done, exercise {'right' if state.get('exercise') else 'open'}"
    at = state.get("at")
    return f"stopped at cell {at + 1} of {cells + 1}" if at else ""
