"""From the options of `gankit run` to a Run: a new one, or one to resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.core.errors import GankitError
from gankit.training.settings.combine import LENGTHS, expand_shorthands

if TYPE_CHECKING:
    from gankit.core.parts.registry import Registry
    from gankit.core.run.settings import Run


# What an option sets, so that variables of the environment do not set it, too.
_LENGTH = {*LENGTHS, "budget"}
_OVERRIDDEN_BY = {**dict.fromkeys(_LENGTH, _LENGTH), "lr": {"lr_g", "lr_d"}}


def option_values(ctx: click.Context) -> dict[str, Any]:
    """The values of all options; those of environment variables are defaults of new runs.

    So they give way to an option that sets the same, and change neither the run that --config
    repeats nor the one that --resume continues.
    """
    from_line = ParameterSource.COMMANDLINE
    typed = {name for name in ctx.params if ctx.get_parameter_source(name) is from_line}
    overridden: set[str] = set().union(*(_OVERRIDDEN_BY.get(name, ()) for name in typed))
    if typed & {"config", "resume"}:
        overridden = ctx.params.keys() - {"dry_run", "preview"}
    left_out = overridden - typed
    return {name: None if name in left_out else value for name, value in ctx.params.items()}


def check_start(resume: Path | None, config: Path | None, recipe: str | None) -> None:
    """Refuse two options that both say where the settings come from."""
    if resume and config:
        raise GankitError(
            "--resume continues a run and --config starts a new one: give one of them"
        )
    if config and recipe:
        raise GankitError("--config already holds every setting of a run: omit --recipe")


def read_fields(values: dict[str, Any], budget: str | None, resume: Path | None) -> dict[str, Any]:
    """Fields of Run from the options given: one length, one or two learning rates."""
    fields = {name: value for name, value in values.items() if value is not None and value != ()}
    if resume and budget:
        raise GankitError("--budget is for new runs: make a resumed run longer with --steps")
    fields = expand_shorthands({**fields, "budget": budget} if budget else fields)
    if "channels" in fields:
        fields["channels"] = int(fields["channels"])
    if "classes" in fields:
        fields["classes"] = tuple(",".join(fields["classes"]).split(","))
    return fields


def new_run(registry: Registry, config: Path | None, fields: dict[str, Any]) -> Run:
    """The run that the options describe; they override the config file."""
    from gankit.training.run_folder.run_file import read_run, require_not_imported
    from gankit.training.run_folder.run_parts import require_settings
    from gankit.training.settings.copy_run import copy_run, kept_settings

    settings = read_run(config) if config else {}
    if config:
        require_settings(config, kept_settings(settings, fields), registry)
        if "init" not in fields:
            require_not_imported(config)
    return copy_run(registry, settings, fields)


def resumed(folder: Path, files: tuple[str, ...] = (), **fields: Any) -> Run:
    """The run in a folder, with settings changed that do not affect its numbers.

    `files`: the one-file plugins that were loaded.
    """
    from gankit.core.run.settings import parse_length
    from gankit.training.run_folder.find_run import find_run
    from gankit.training.run_folder.run_file import load_run
    from gankit.training.settings.resumed_run import require_changeable, require_chosen

    folder = find_run(folder, "; it continues from its newest checkpoint")
    require_changeable(fields)
    if "length" in fields:
        _, unit = parse_length(fields["length"])
        if unit != "steps":
            raise GankitError(f"--resume takes a new length in steps: use --steps, not --{unit}")
    require_chosen(fields)
    run = load_run(folder, **fields)
    return replace(run, carried=replace(run.in_python, files=files or run.in_python.files))
