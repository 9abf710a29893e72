"""The run that `train` gets: a Run, or the folder of one to resume, whose settings are fixed."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from gankit.core.errors import GankitError, quote_value
from gankit.core.settings import Run, default_memory_format, option
from gankit.training.python_words import resume_call
from gankit.training.run_file import folder_of, load_run, recorded_run

# Settings that may change on --resume; all others affect the numbers. `data` may only name another
# place of the same pictures.
FREE_ON_RESUME = {
    "data", "length", "device", "threads", "compile", "keep", "tensorboard", "report",
    "metrics", "measure_every", "keep_best", "patience",
}  # fmt: skip
# Fields that follow from others or from the machine, if they have their default.
_RESOLVED = {
    "steps", "draw_every", "save_every", "precision", "memory_format", "channels", "fingerprint",
}  # fmt: skip


def require_free(names: Collection[str]) -> None:
    """GankitError if one of these settings cannot change when a run is resumed."""
    fixed = sorted(set(names) - FREE_ON_RESUME)
    if fixed:
        reason = "because it was set when the run started"
        raise GankitError(f"{option(fixed[0])} cannot change with --resume, {reason}: omit it")


def run_to_train(run: Run | str | Path, *, resume: bool) -> Run:
    """The given Run, or the run of a folder. GankitError if it cannot be trained so."""
    if not isinstance(run, Run | str | Path):
        what = f"train was given {quote_value(run)}"
        raise GankitError(f"{what}: give a Run of gankit.compose, or the folder of a run")
    if not isinstance(run, Run):
        if not resume:
            cure = f"{resume_call(run)} continues the run of that folder"
            raise GankitError(
                f"train was given {quote_value(str(run))}, which is not a Run: {cure}"
            )
        return load_run(run)
    if resume:
        require_free(_changed_settings(run))
    return run


def _changed_settings(run: Run) -> list[str]:
    """The settings of a run that is resumed which differ from those that its folder records."""
    recorded = recorded_run(folder_of(run))
    if recorded.memory_format == "auto":  # the default of its device, whose name `run` may have
        default = default_memory_format(recorded.device)
        recorded = dataclasses.replace(recorded, memory_format=default)
    changed = []
    for field in dataclasses.fields(Run):
        value = getattr(run, field.name)
        is_open = field.name in _RESOLVED and value == field.default
        is_same = field.name in ("out", "steps") or value == getattr(recorded, field.name)
        if not (is_same or is_open or field.name in FREE_ON_RESUME):
            changed.append(field.name)
    return changed
