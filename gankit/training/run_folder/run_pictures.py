"""Prepare the pictures of a run that has begun, also if they were moved since."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import GankitError
from gankit.core.files.portable_path import path_exists, real_path, shorten_path
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress, no_progress
from gankit.core.run.settings import Run, command_about, setting_to_argv
from gankit.data.prepare import prepare
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.recorded_paths import begun_in
from gankit.training.run_folder.run_file import recorded_data

MAX_PLACES = 4  # named in a message
log = logging.getLogger("gankit")


def prepare_again(
    run: Run, registry: Registry, progress: Progress = no_progress
) -> PreparedDataset:
    """The pictures of a run; if it has a fingerprint, they are compared with it.

    If the pictures have changed at the place where they were, that is a warning. GankitError if
    they are missing, or if `run.data` names another place that holds other pictures.
    """
    if not run.fingerprint:  # a new run
        return prepare(run, registry, progress)
    prepared = prepare_begun(run, registry, progress)
    if run.fingerprint != prepared.fingerprint:
        if not _is_at_recorded_place(run):
            raise GankitError(_other_pictures(run))
        message = "the pictures have changed since %s began: give the same ones to go on as before"
        log.warning(message, run.folder)
    return prepared


def prepare_begun(run: Run, registry: Registry, progress: Progress) -> PreparedDataset:
    """The pictures of a run that has begun; if they are missing, the error tells the way out."""
    try:
        return prepare(run, registry, progress)
    except GankitError as error:
        absent = next(filter(None, map(_why_absent, run.data)), "")
        if absent and _is_at_recorded_place(run):
            raise GankitError(_missing_pictures(run, absent)) from error
        began = begun_in(run.folder / RUN_FILE)
        if isinstance(error.__cause__, FileNotFoundError) and began.resolve() != Path.cwd():
            where = f"the run began in {shorten_path(str(began))}: resume it there"
            raise GankitError(f"{error}; {where}") from error
        raise


def _is_at_recorded_place(run: Run) -> bool:
    recorded = recorded_data(run)
    pairs = zip(run.data, recorded, strict=False)
    same = all(real_path(path) == real_path(place) for path, place in pairs)
    return same and len(run.data) == len(recorded)


def _why_absent(path: str) -> str:
    """In what way pictures are not where they were; empty if they may be there."""
    if "{" in path:  # numbered shards: the error names the one that is missing
        return ""
    if not path_exists(path):
        return f"{path} does not exist now"
    folder = Path(os.path.expanduser(path))  # noqa: PTH111
    return f"{path} is empty now" if folder.is_dir() and not any(folder.iterdir()) else ""


def _list_places(places: Sequence[str]) -> str:
    more = f" and {len(places) - MAX_PLACES} more" if len(places) > MAX_PLACES else ""
    return ", ".join(places[:MAX_PLACES]) + more


def _missing_pictures(run: Run, absent: str) -> str:
    count = len(run.data)
    advice = "give --data NEW"
    if count > 1:
        advice = f"give --data NEW for each of its {count} places, in the same order"
    places = _list_places(run.data)
    return f"the pictures of {run.folder} were at {places}, but {absent}: if they moved, {advice}"


def _other_pictures(run: Run) -> str:
    config = ("--config", str(run.folder / RUN_FILE))
    new_run = command_about(run, "run", *config, *setting_to_argv("data", run.data))
    places = _list_places(recorded_data(run)) or "in the data set itself"
    return (
        f"{_list_places(run.data)} has other pictures than {run.folder} began with, which were at "
        f"{places}: give the same pictures, or begin a new run with {new_run}"
    )
