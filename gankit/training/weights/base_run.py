"""`--init RUN`: find the run whose networks a new run begins with, and the settings it gives."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.portable_path import path_exists
from gankit.core.files.read_file import read_regular_file
from gankit.core.files.read_json import read_json_object
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.run.init_text import DIGEST_LETTERS, split_init
from gankit.core.run.stage import settings_before
from gankit.training.checkpoints.named_checkpoint import checkpoint_path, named_step
from gankit.training.run_folder.find_run import RUN_FILE, checkpoint_step, find_run
from gankit.training.settings.convert import convert_setting

log = logging.getLogger("gankit")
NONE = "none"  # --init none: no base, although a --config names one
MODEL = "model.safetensors"  # the file of a checkpoint that holds the networks
MAX_BYTES = 8 << 30  # of that file
# What a base gives to the run that begins with it: networks of these sizes, and how they train.
NETWORKS = {"model", "generator", "discriminator", "image_size", "channels", "latent_dim"}
TRAINING = {"loss", "tricks", "batch_size", "d_steps", "lr_g", "lr_d", "beta1", "beta2"}


@dataclass(frozen=True)
class BaseRun:
    """A checkpoint of a run that another run begins with; its text is a value of `--init`."""

    folder: Path
    step: int
    sha256: str  # of its networks

    def __str__(self) -> str:
        return f"{self.folder}:{self.step}@{self.sha256[:DIGEST_LETTERS]}"

    @property
    def checkpoint(self) -> Path:
        return checkpoint_path(self.folder / "checkpoints", self.step)


def find_base(text: str) -> BaseRun:
    """The checkpoint that a value of `--init` means: without a step, the newest undamaged one.

    GankitError if there is none, or if it is not the one that the digest is of.
    """
    path, step, digest = split_init(text)
    try:
        base = _find_checkpoint(find_run(path, ":{step}"), step)
    except GankitError as error:
        folder, colon, ending = path.rpartition(":")
        if colon and path_exists(folder):
            expected = "after the colon, give a step, best or last"
            raise GankitError(
                f"--init: {quote_value(ending)} is not a checkpoint: {expected}"
            ) from error
        raise GankitError(f"--init: {error}") from error
    if not base.sha256.startswith(digest):
        changed = f"step {base.step} of {base.folder} has other networks than when it was named"
        cure = f"give --init {base.folder}:{base.step} to begin with those of now"
        raise GankitError(f"--init is {text}, but {changed}: {cure}")
    return base


def _find_checkpoint(folder: Path, name: str) -> BaseRun:
    """The checkpoint of a step, `best`, `last` or "", which is the newest one."""
    step = int(name) if name.isdigit() else named_step(folder, name or None)
    steps = sorted(_saved_steps(folder), reverse=True)
    if not steps:
        raise GankitError(f"{folder} has no checkpoint yet")
    if step is not None and step not in steps:
        names = ", ".join(map(str, steps))
        raise GankitError(f"{folder} has no checkpoint of step {step}; it has: {names}")
    problems = []
    for number in steps if step is None else [step]:
        base = BaseRun(folder, number, "")
        try:
            sha256 = networks_sha256(base.checkpoint)
        except (GankitError, OSError, ValueError) as error:
            problems.append(f"checkpoint {base.checkpoint} cannot be used: {error}")
            continue
        for problem in problems:
            log.warning("%s; %s is used instead", problem, base.checkpoint.name)
        return BaseRun(folder, number, sha256)
    raise GankitError(problems[0])


def _saved_steps(folder: Path) -> Iterator[int]:
    for path in (folder / "checkpoints").glob("step-*"):
        step = checkpoint_step(path.name)
        if step is not None:
            yield step


def networks_sha256(checkpoint: Path) -> str:
    """The SHA-256 of a checkpoint's networks. GankitError unless it is as its manifest says."""
    recorded = read_json_object(checkpoint / "manifest.json", "a manifest", {"sha256": dict})
    digest = hashlib.sha256(read_regular_file(checkpoint / MODEL, MAX_BYTES)).hexdigest()
    if recorded.get("sha256", {}).get(MODEL) != digest:
        raise GankitError(f"it is damaged, as {MODEL} has changed since it was saved")
    return digest


def recorded_setting(base: BaseRun, name: str) -> Any:
    """A setting of the run of a base, as its run.json has it; "" if it has none. GankitError."""
    record = read_json_object(base.folder / RUN_FILE, "a run.json of gankit", {"dataset": str})
    return convert_setting(name, record[name]) if name in record else ""


def settings_from_base(
    registry: Registry, chosen: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The chosen settings with `init` as one checkpoint, and those that its run gives.

    It gives its networks, and how it trained them; nothing if a model is chosen. GankitError if
    there is no such checkpoint, or if one of its networks is not loaded.
    """
    if chosen.get("init", "") in ("", NONE):
        return {**chosen, "init": ""}, {}
    base = find_base(chosen["init"])
    chosen = {**chosen, "init": str(base)}
    if "model" in chosen:
        return chosen, {}
    file = base.folder / RUN_FILE
    record = read_json_object(file, "a run.json of gankit")
    overridden = chosen.keys() - {"tricks"}  # +NAME adds to those of the base
    names = (NETWORKS | TRAINING) & record.keys() - overridden
    if record.get("channels") not in (3, 4):  # a grey base does not make pictures grey
        names -= {"channels"}
    try:
        stages = convert_setting("stages", record.get("stages", []))
        later = [stage for stage in stages if stage.step >= base.step]
        record |= settings_before(later)  # the base was trained with these
        settings = {name: convert_setting(name, record[name]) for name in names}
        registry.networks(settings.get("model") or registry.default("model"))
        for kind in settings.keys() & {"generator", "discriminator", "loss"}:
            registry.check(kind, settings[kind])
    except GankitError as error:
        cure = "; or choose networks for its weights with --model"
        raise GankitError(f"--init: {file}: {error}{cure}") from error
    return chosen, settings


def suits_base(registry: Registry, recipe: dict[str, Any], of_base: dict[str, Any]) -> bool:
    """Whether a recipe is for networks and a loss of the kinds that the base has, if there is one.

    Its tricks and learning rates suit other networks less than those that the base had itself.
    """
    if not (of_base and recipe):
        return True
    _, networks = registry.networks(recipe.get("model") or registry.default("model"))
    parts = {**networks, "loss": recipe.get("loss") or registry.default("loss")}
    return all(
        Choice.parse(of_base.get(kind, part)).name == Choice.parse(part).name
        for kind, part in parts.items()
    )
