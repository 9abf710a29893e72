"""run.json: a run written down in its folder, and read again."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.settings import Run, command_line


def write_run(run: Run, **extra: Any) -> None:
    """Write run.json: the run, then what is good to know about it (versions, data)."""
    record = {**dataclasses.asdict(run), "command": command_line(run), **extra}
    try:
        write_atomically(run.folder / "run.json", json.dumps(record, indent=2) + "\n")
    except OSError as error:
        why = f"{error.strerror}; choose another --out"
        raise GankitError(f"cannot write to {run.folder}: {why}") from error


def read_run(path: Path) -> dict[str, Any]:
    """The fields of Run in a run.json, or in that of a run's folder.

    gankit 0.1 had no `convolutions`: its runs get the layers that they had.
    """
    path = path / "run.json" if path.is_dir() else path
    try:
        record = dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        runs = {run.parent.name for run in path.parent.glob("*/run.json")}
        none = f"; {path.parent.absolute()} holds no runs"
        hint = f".{did_you_mean(path.name, runs)}" if runs else none
        raise GankitError(f"there is no run at {path}: {error.strerror}{hint}") from error
    except (ValueError, TypeError) as error:
        raise GankitError(f"{path} is no run.json: {error}") from error
    known = [field.name for field in dataclasses.fields(Run)]
    for key in set(record) - {*known, "command", "versions", "prepared"}:
        raise GankitError(f"{path} has a setting {key!r}, unknown here.{did_you_mean(key, known)}")
    if "memory_format" in record and "convolutions" not in record:
        channels_last = record["memory_format"] == "channels-last"
        record["convolutions"] = "fast" if channels_last else "plain"
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items() if k in known}


def load_run(folder: Path, **changes: Any) -> Run:
    """The run whose run.json lies in a folder, with changes: `length="4000 steps"` is longer."""
    again = {"steps": 0} if "length" in changes else {}  # resolved from the length, as at first
    try:
        return Run(**{**read_run(folder), **again, **changes})
    except TypeError as error:
        raise GankitError(f"{folder / 'run.json'} is not whole: {error}") from error
