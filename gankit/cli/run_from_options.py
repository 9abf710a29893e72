"""From the options of `gankit run` to a Run: a new one, or one that is resumed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.core.errors import GankitError

if TYPE_CHECKING:
    from gankit.core.registry import Registry
    from gankit.core.settings import Run

LENGTHS = ("steps", "epochs", "kimg")
# Settings that may change on --resume; all others affect the numbers.
FREE_ON_RESUME = {
    "length", "device", "threads", "compile", "keep", "tensorboard", "metrics", "measure_every",
}  # fmt: skip


def check_start(resume: Path | None, config: Path | None, recipe: str | None) -> None:
    """Refuse options that each say how a run starts."""
    if resume and config:
        raise GankitError("--resume goes on with a run, --config begins one like it: choose one")
    if config and recipe:
        raise GankitError("--config says all that --recipe could: choose one")


def check_single_process(options: dict[str, Any]) -> None:
    """Refuse options that measure one process, whose time and memory are not those of several."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return
    for option, value in options.items():
        if value:
            raise GankitError(f"{option} is for one process: omit torchrun, or {option}")


def read_fields(values: dict[str, Any], budget: str | None, resume: Path | None) -> dict[str, Any]:
    """Fields of Run from the options given: one length, one or two learning rates."""
    fields = {name: value for name, value in values.items() if value is not None and value != ()}
    lengths = [f"{fields.pop(unit):.12g} {unit}" for unit in LENGTHS if unit in fields]
    if len(lengths) + bool(budget) > 1 or (resume and budget):
        raise GankitError("a run has one length: --steps, --epochs, --kimg or, when new, --budget")
    if lengths:
        fields["length"] = lengths[0]
    elif budget:
        fields["length"] = "1 steps"  # until the budget is planned
    if "channels" in fields:
        fields["channels"] = 0 if fields["channels"] == "auto" else int(fields["channels"])
    if "classes" in fields:
        fields["classes"] = tuple(",".join(fields["classes"]).split(","))
    if "lr" in fields:
        lr = fields.pop("lr")
        fields = {"lr_g": lr, "lr_d": lr, **fields}
    return fields


def new_run(registry: Registry, config: Path | None, fields: dict[str, Any]) -> Run:
    """The run that the options describe, on top of the config file's."""
    from gankit.training.compose import compose
    from gankit.training.run_file import read_run

    settings = read_run(config) if config else {}
    stale = {"out", "fingerprint"}  # that folder holds the run that is being repeated
    if "model" in fields:  # brings its own networks and size
        stale |= {"generator", "discriminator", "image_size"}
    if "length" in fields:  # decides these anew
        stale |= {"steps", "draw_every", "save_every"}
    kept = {name: value for name, value in settings.items() if name not in stale}
    return compose(registry, **{**kept, **fields})


def resumed(folder: Path, **fields: Any) -> Run:
    """The run in a folder, with those settings changed that do not affect its numbers."""
    from gankit.core.settings import option, parse_length
    from gankit.training.run_file import load_run

    fixed = sorted(set(fields) - FREE_ON_RESUME)
    if fixed:
        raise GankitError(
            f"{option(fixed[0])} was decided when the run began and cannot change now"
        )
    if "length" in fields:
        number, unit = parse_length(fields["length"])
        if unit != "steps":
            raise GankitError("a resumed run is made longer with --steps")
        fields["steps"] = int(number)
    return load_run(folder, **fields, out=str(folder))
