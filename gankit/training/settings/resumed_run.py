"""The run that `train` gets: a Run, or the folder of one to resume; and what may change then."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.run.init_text import is_same_base
from gankit.core.run.settings import Run, default_memory_format, option
from gankit.core.run.stage import CHANGEABLE
from gankit.training.run_folder.run_file import folder_of, load_run, recorded_run
from gankit.training.settings.combine import check_tricks
from gankit.training.settings.python_words import resume_call

# Settings that do not affect the numbers, or that follow from the machine; and the length. They
# apply to the whole run. `data` may only name another place of the same pictures.
FREE_ON_RESUME = {
    "data", "length", "device", "threads", "compile", "keep", "tensorboard", "report",
}  # fmt: skip
# Why a setting can never change; of all others, because it was set when the run started.
_REASONS = {
    "because its networks were built with it":
        ("model", "generator", "discriminator", "image_size", "channels", "latent_dim",
         "class_labels"),
    "because a run keeps its pictures":
        ("dataset", "classes", "fit", "background", "subset", "holdout", "data_seed",
         "resample", "balance_classes"),
    "because its networks are trained already": ("init",),
    "because it decides the order of the pictures and each z": ("seed",),
    "because a recipe is for a new run": ("recipe",),
}  # fmt: skip
# Fields that follow from others or from the machine, if they have their default.
_RESOLVED = {"steps", "memory_format", "channels", "fingerprint", "class_names"}
# Values for which gankit chose others when the run began: a resumed run has these.
_AUTO = {"zoom": 0, "precision": "auto", "draw_every": 0, "save_every": 0}
_OF_FOLDER = {"out", "steps", "earlier_plans", "stages"}  # as the folder's run.json has them


def require_changeable(names: Collection[str]) -> None:
    """GankitError if one of these settings cannot change when a run is resumed."""
    for name in sorted(set(names) - FREE_ON_RESUME - set(CHANGEABLE)):
        reasons = [reason for reason, fixed in _REASONS.items() if name in fixed]
        reason = reasons[0] if reasons else "because it was set when the run started"
        raise GankitError(f"{option(name)} cannot change with --resume, {reason}: omit it")


def require_chosen(settings: Mapping[str, Any]) -> None:
    """GankitError if one of these settings stands for a value that gankit chooses for new runs."""
    for name, auto in _AUTO.items():
        if name in settings and settings[name] == auto:
            value = "auto" if name == "zoom" else auto
            cure = "give another value, or omit it"
            raise GankitError(f"{option(name)} {value} is for new runs, not for --resume: {cure}")


def run_to_train(run: Run | str | Path, registry: Registry | None = None, *, resume: bool) -> Run:
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
    if not resume:
        return run
    recorded = recorded_run(folder_of(run))
    chosen = {n: getattr(recorded, n) for n, auto in _AUTO.items() if getattr(run, n) == auto}
    run = dataclasses.replace(run, **chosen)
    changed = changed_settings(run)
    require_changeable(changed)
    return _check_parts(run, changed, registry)


def _check_parts(run: Run, changed: Collection[str], registry: Registry | None) -> Run:
    """The run with its options of a changed loss and of changed tricks checked. GankitError."""
    if not {"loss", "tricks"} & set(changed):
        return run
    parts = registry_of(run, registry)
    checked: dict[str, Any] = {}
    if "loss" in changed:
        checked["loss"] = parts.check("loss", run.loss)
    if "tricks" in changed:
        checked["tricks"] = check_tricks(parts, run.tricks)
    return dataclasses.replace(run, **checked)


def changed_settings(run: Run) -> list[str]:
    """The settings of a run that is resumed which differ from those that its folder records.

    Without those that are free to change.
    """
    recorded = recorded_run(folder_of(run))
    if recorded.memory_format == "auto":  # the default of its device, whose name `run` may have
        default = default_memory_format(recorded.device)
        recorded = dataclasses.replace(recorded, memory_format=default)
    changed = []
    for field in dataclasses.fields(Run):
        value = getattr(run, field.name)
        is_open = field.name in _RESOLVED and value == field.default
        is_same = field.name in _OF_FOLDER or value == getattr(recorded, field.name)
        is_same |= field.name == "init" and is_same_base(value, recorded.init)
        if not (is_same or is_open or field.name in FREE_ON_RESUME):
            changed.append(field.name)
    return changed
