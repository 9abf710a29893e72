"""Write and read run.json, the settings of a run in its folder."""

import dataclasses
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.portable_path import real_path
from gankit.core.files.read_json import read_json_object
from gankit.core.parts.registry import load_registry
from gankit.core.run.carried import NOTHING, Carried
from gankit.core.run.settings import Run, command_line, parse_length, unknown_setting
from gankit.training.run_folder.find_run import RUN_FILE, find_run
from gankit.training.run_folder.recorded_paths import (
    begun_in,
    find_paths,
    path_entries,
    recorded_places,
)
from gankit.training.settings.combine import add_tricks, expand_shorthands
from gankit.training.settings.compose import are_plain, name_objects
from gankit.training.settings.convert import MAX_LETTERS_OF_WORD, convert_setting
from gankit.training.settings.copy_run import copy_run
from gankit.training.settings.python_words import errors_in_python

GRID_SIZE = 64  # pictures in a grid
SEEDS = "seeds"  # the entry `grid_cells` of a run whose grids show the seeds 0 to 63
Data = str | Path | Iterable[str | Path]  # paths, as after --data
_OTHER_ENTRIES = {
    "command": str, "begun_in": str, "from_python": dict, "versions": dict, "prepared": dict,
    "grid_cells": str,
    "begun_from": dict,  # the checkpoint of --init, and which tensors are new
    "imported": dict,  # the file that G's first weights are from
}  # fmt: skip
# The runs that this process has begun: folder -> what each carries, so that it can be loaded again.
_carried_by: dict[str, Carried] = {}

log = logging.getLogger("gankit")


def write_run(run: Run, **extra: Any) -> str:
    """Write run.json: all settings, the command that repeats the run, and `extra` entries.

    Paths are written so that they mean the same elsewhere and do not name your home folder. Returns
    what was written.
    """
    paths = {"command": "", "begun_in": ""}  # their place in the file
    objects = run.given_objects()
    if objects:
        extra["from_python"] = objects
    is_begun = (run.folder / RUN_FILE).is_file()
    kept = {"grid_cells": SEEDS}
    if is_begun:
        kept = read_entries(run.folder, "imported", "begun_from", "grid_cells")
    extra = {**kept, **extra}
    text = _write(run, {**dataclasses.asdict(run), **paths, **extra})
    _carried_by[real_path(run.out)] = run.in_python
    return text


def record_move(folder: Path, data: tuple[str, ...]) -> None:
    """Write into the run.json of a run that its pictures were moved; all else stays as it is."""
    _write(load_run(folder, data=data), _read_record(folder / RUN_FILE))


def _write(run: Run, record: dict[str, Any]) -> str:
    file = run.folder / RUN_FILE
    command = command_line(run, begun_in(file))
    if "imported" in record:
        command += "  # its G began with imported weights: gankit import"
    record = {**record, **path_entries(file, run.data, run.init), "out": ".", "command": command}
    content = json.dumps(record, indent=2) + "\n"
    try:
        write_atomically(file, content)
    except OSError as error:
        why = f"{error.strerror}: choose another --out"
        raise GankitError(f"cannot write to {run.folder}: {why}") from error
    return content


def update_run(run: Run) -> str:
    """Write changed settings of a run into its run.json; other entries stay. GankitError.

    Returns what was written.
    """
    record = _read_record(run.folder / RUN_FILE)
    return _write(run, {**record, **dataclasses.asdict(run)})


def read_run(path: Path) -> dict[str, Any]:
    """Read the fields of Run from a run.json, or from that of a run's folder. GankitError.

    Paths are returned as seen from the working directory; pictures that were moved with the run, or
    when only the run was moved, are found.

    Runs of gankit 0.1 have no `convolutions`; they get the layers that 0.1 used.
    """
    path = path if path.is_file() else find_run(path) / RUN_FILE
    record = _read_record(path)
    if "memory_format" in record and "convolutions" not in record:
        channels_last = record["memory_format"] == "channels-last"
        record["convolutions"] = "fast" if channels_last else "plain"
    if _has_default_memory_format(record):
        record["memory_format"] = "auto"  # perhaps on another device than before
    try:
        settings = read_settings(record)
    except GankitError as error:
        raise GankitError(f"{path}: {error}") from error
    if "out" in settings:
        settings["out"] = str(path.parent)
    return {**settings, **find_paths(record, settings, path.parent)}


def read_settings(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of Run in a record of run.json or race.json, each of its type. GankitError."""
    fields = {field.name for field in dataclasses.fields(Run)}
    unknown = set(record) - fields - set(_OTHER_ENTRIES)
    if unknown:
        is_other = "" if fields & set(record) else "this is not a run.json of gankit: "
        raise GankitError(f"{is_other}{unknown_setting(min(unknown))}")
    return {name: convert_setting(name, record[name]) for name in record if name in fields}


def require_not_imported(path: Path) -> None:
    """GankitError if a new run with the settings of this one would lack its imported weights.

    `path`: a run's folder or its run.json.
    """
    file = path if path.is_file() else find_run(path) / RUN_FILE
    if "imported" in _read_record(file):
        what = f"G of {file.parent} began with imported weights, which its settings do not hold"
        raise GankitError(f"{what}: give --init RUN to begin with the networks of that run")


def make_run(settings: dict[str, Any], source: str) -> Run:
    """The run of these settings from a file. GankitError if a needed one is missing or wrong."""
    for field in dataclasses.fields(Run):
        if field.default is dataclasses.MISSING and field.name not in settings:
            raise GankitError(f"{source} is incomplete: the setting {field.name!r} is missing")
    return Run(**settings)


def _read_record(path: Path) -> dict[str, Any]:
    return read_json_object(path, "a run.json of gankit", _OTHER_ENTRIES)


def recorded_origins(path: Path) -> dict[str, str]:
    """The plugin of each part that does not come with gankit, as a run.json names it."""
    record = _read_record(path) if path.is_file() else {}
    plugins = record.get("versions", {}).get("plugins")
    if not isinstance(plugins, dict):
        return {}
    return {k: v for k, v in plugins.items() if isinstance(v, str) and v.isprintable()}


def read_notes(folder: Path) -> dict[str, Any]:
    """The entries of a run.json that are not settings, such as `versions`. GankitError."""
    return read_entries(folder, *_OTHER_ENTRIES)


def read_entries(folder: Path, *names: str) -> dict[str, Any]:
    """Those of the entries that the run.json of a folder has. GankitError."""
    record = _read_record(folder / RUN_FILE)
    return {name: record[name] for name in names if name in record}


def grid_shows_seeds(folder: Path) -> bool:
    """Whether cell k of the grids of the run in `folder` shows seed k; in older runs it does not.

    GankitError if there is no run.
    """
    return read_notes(folder).get("grid_cells") == SEEDS


def recorded_data(run: Run) -> tuple[str, ...]:
    """Where a run's run.json says that its pictures are; where `run` says, if it has none yet."""
    path = run.folder / RUN_FILE
    if not path.is_file():
        return run.data
    record = _read_record(path)
    data = read_settings(record).get("data", ())
    return tuple(recorded_places(record, data, path.parent))


def data_paths(data: Data) -> tuple[str, ...]:
    """The field `data` of Run from one path or several."""
    paths = [data] if isinstance(data, str | Path) else data
    return tuple(str(path) for path in paths)


def recorded_run(folder: str | Path) -> Run:
    """The run of a folder, with the settings that its run.json records. GankitError."""
    path = find_run(folder)
    return make_run({**read_run(path), "out": str(path)}, str(path / RUN_FILE))


@errors_in_python()
def load_run(folder: str | Path | Run, **changes: Any) -> Run:
    """Load the run of a folder, with changed settings, such as `steps=4000` or `tricks="+ema"`.

    Settings take objects as in `gankit.compose`. A run that began with objects needs them again,
    unless it began in this process: `load_run(folder, tricks=["ema", MyTrick(0.2)])`. Its `out` is
    the folder, wherever the run began. GankitError if that is not a run.
    """
    given = folder.in_python if isinstance(folder, Run) else NOTHING
    folder = find_run(folder_of(folder))
    plugins = changes.pop("plugins", ())
    if plugins or not are_plain(changes):
        changes, given = name_objects(load_registry(), plugins, changes)
    changes = _convert_changes(changes)
    settings = read_run(folder)
    carried = _with_recorded(given, folder)
    if real_path(changes.get("out", str(folder))) != real_path(str(folder)):
        if "init" not in changes:
            require_not_imported(folder)
        registry = load_registry().with_plugins(carried.plugins)
        return copy_run(registry, settings, changes, carried)
    if "tricks" in changes:
        changes["tricks"] = add_tricks(settings["tricks"], changes["tricks"])
    run = make_run({**settings, "out": str(folder), **changes}, str(folder / RUN_FILE))
    run = dataclasses.replace(run, carried=carried)
    if run.device == "mps" and run.memory_format == "auto":
        message = "%s goes on with --memory-format contiguous, as channels-last is wrong on mps"
        log.warning(message, folder)
    return run


def _convert_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """The fields of Run that the arguments of load_run set. GankitError."""
    if "budget" in changes:
        raise GankitError("a run from a folder has a length already: give steps=N, not budget")
    if "data" in changes:
        changes = {**changes, "data": data_paths(changes["data"])}
    changes = expand_shorthands(changes)
    changes = {name: convert_setting(name, value) for name, value in changes.items()}
    if "length" in changes:
        number, unit = parse_length(changes["length"])
        changes["steps"] = int(number) if unit == "steps" else 0  # resolve_auto computes it
    return changes


def folder_of(run: str | Path | Run) -> str | Path:
    """The folder of a run, or the given path. GankitError if the run has no folder yet."""
    if not isinstance(run, Run):
        return run
    if not run.out:
        cure = (
            "give the folder that gankit.train returns; to read it during training, give compose "
        )
        cure += "an out"
        raise GankitError(f"this run has no folder yet: {cure}")
    return run.out


def recorded_objects(path: Path) -> dict[str, str]:
    """The parts that were given in Python to the run of a folder or a run.json, and their classes.

    `trick my-trick` -> `MyTrick in train.py`. Other texts are left out: the file may be a
    stranger's, and they end up in a command.
    """
    file = path if path.is_file() else find_run(path) / RUN_FILE
    recorded = _read_record(file).get("from_python", {})
    return {part: text for part, text in recorded.items() if _is_name(part) and _is_name(text)}


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and text.isprintable() and len(text) <= MAX_LETTERS_OF_WORD


def _with_recorded(given: Carried, folder: Path) -> Carried:
    """What was given now, and what the run in a folder had when this process began to train it."""
    before = _carried_by.get(real_path(str(folder)), NOTHING)
    return Carried(
        plugins=(*given.plugins, *before.plugins),
        origins={**recorded_objects(folder), **given.origins},
        files=given.files or before.files,
    )


def _has_default_memory_format(record: dict[str, Any]) -> bool:
    """Whether nobody chose the channels-last of a run.json: until gankit 0.2 MPS had it too."""
    is_chosen = "--memory-format" in str(record.get("command"))
    return record.get("memory_format") == "channels-last" and not is_chosen
