"""From the options of `gankit run` to a Run: a new one, or one to resume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.core.errors import GankitError
from gankit.core.stage import Stage, without
from gankit.training.combine import add_tricks, combine_settings, expand_shorthands

if TYPE_CHECKING:
    from gankit.core.registry import Registry
    from gankit.core.settings import Run


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
    from gankit.training.run_file import read_run
    from gankit.training.run_parts import require_settings

    settings = read_run(config) if config else {}
    overridden = {
        "out",
        "fingerprint",
        "class_names",
    }  # these belong to the run that the file describes
    if "model" in fields:  # has its own networks and image size
        overridden |= {"generator", "discriminator", "image_size"}
    if "length" in fields:  # these follow from the length
        overridden |= {"steps", "earlier_plans", "draw_every", "save_every"}
    kept = {name: value for name, value in settings.items() if name not in overridden}
    replaced = set(fields)
    added = fields.get("tricks", ())
    if all(text.startswith("+") for text in added):
        replaced -= {"tricks"}  # those of the file stay
    if config:
        require_settings(config, kept.keys() - replaced, registry)
    if "tricks" in fields and "tricks" in kept:
        fields = {**fields, "tricks": add_tricks(kept["tricks"], fields["tricks"])}
    if kept.get("stages"):
        kept["stages"] = without(_add_to_stages(kept["stages"], added), replaced)
    fields = {**kept, **fields}
    return combine_settings(registry, fields.pop("recipe", None), fields)


def _add_to_stages(stages: Sequence[Stage], added: Sequence[str]) -> list[Stage]:
    """The stages, with tricks added to those that earlier stages had: each stage keeps its own."""
    changed = []
    for stage in stages:
        before = dict(stage.before)
        if added and "tricks" in before:
            before["tricks"] = add_tricks(before["tricks"], added)
        changed.append(replace(stage, before=before))
    return changed


def resumed(folder: Path, files: tuple[str, ...] = (), **fields: Any) -> Run:
    """The run in a folder, with settings changed that do not affect its numbers.

    `files`: the one-file plugins that were loaded.
    """
    from gankit.core.settings import parse_length
    from gankit.training.find_run import find_run
    from gankit.training.resumed_run import require_changeable
    from gankit.training.run_file import load_run

    folder = find_run(folder, "; it continues from its newest checkpoint")
    require_changeable(fields)
    if "length" in fields:
        _, unit = parse_length(fields["length"])
        if unit != "steps":
            raise GankitError(f"--resume takes a new length in steps: use --steps, not --{unit}")
    if fields.get("zoom") == 0:
        raise GankitError("--zoom auto is for new runs: give --resume a number, from 1 to 4")
    run = load_run(folder, **fields)
    return replace(run, carried=replace(run.in_python, files=files or run.in_python.files))
