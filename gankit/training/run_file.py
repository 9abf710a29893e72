"""Write and read run.json, the settings of a run in its folder."""

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.settings import Run, command_line, unknown_setting

log = logging.getLogger("gankit")


def write_run(run: Run, **extra: Any) -> None:
    """Write run.json: all settings, the command that repeats the run, and `extra` entries."""
    record = {**dataclasses.asdict(run), "command": command_line(run), **extra}
    try:
        write_atomically(run.folder / "run.json", json.dumps(record, indent=2) + "\n")
    except OSError as error:
        why = f"{error.strerror}: choose another --out"
        raise GankitError(f"cannot write to {run.folder}: {why}") from error


def update_run(run: Run) -> None:
    """Write changed settings of a run into its run.json; other entries stay. GankitError."""
    path = run.folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GankitError(f"cannot read {path}: {error}") from error
    fields = {field.name for field in dataclasses.fields(Run)}
    write_run(run, **{key: record[key] for key in record if key not in {*fields, "command"}})


def read_run(path: Path) -> dict[str, Any]:
    """Read the fields of Run from a run.json, or from that of a run's folder. GankitError.

    Runs of gankit 0.1 have no `convolutions`; they get the layers that 0.1 used.
    """
    path = path / "run.json" if path.is_dir() else path
    try:
        record = dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        run_names = {file.parent.name for file in path.parent.glob("*/run.json")}
        hint = f"; there are no runs in {path.parent.absolute()}"
        if run_names:
            hint = f".{did_you_mean(path.name, run_names)}"
        raise GankitError(f"there is no run at {path}: {error.strerror}{hint}") from error
    except (ValueError, TypeError) as error:
        raise GankitError(f"{path} is not a run.json of gankit: {error}") from error
    fields = {field.name for field in dataclasses.fields(Run)}
    unknown = set(record) - {*fields, "command", "versions", "prepared"}
    if unknown:
        raise GankitError(f"{path}: {unknown_setting(min(unknown))}")
    if "memory_format" in record and "convolutions" not in record:
        channels_last = record["memory_format"] == "channels-last"
        record["convolutions"] = "fast" if channels_last else "plain"
    if _has_default_memory_format(record):
        record["memory_format"] = "auto"  # perhaps on another device than before
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items() if k in fields}


def load_run(folder: Path, **changes: Any) -> Run:
    """Load the run of a folder, with changed settings, such as `length="4000 steps"`."""
    settings = read_run(folder)
    if "length" in changes:
        settings["steps"] = 0  # resolve_auto computes it from the length
    try:
        run = Run(**{**settings, **changes})
    except TypeError as error:
        raise GankitError(f"{folder / 'run.json'} is incomplete: {error}") from error
    if run.device == "mps" and run.memory_format == "auto":
        message = "%s goes on with --memory-format contiguous, as channels-last is wrong on mps"
        log.warning(message, folder)
    return run


def _has_default_memory_format(record: dict[str, Any]) -> bool:
    """Whether nobody chose the channels-last of a run.json: until gankit 0.2 MPS had it too."""
    is_chosen = "--memory-format" in str(record.get("command"))
    return record.get("memory_format") == "channels-last" and not is_chosen
