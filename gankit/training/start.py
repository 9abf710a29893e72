"""What happens once before the first step: all processes agree, and run.json is written."""

import dataclasses
import hashlib
import logging
import platform
from collections.abc import Callable
from typing import Any

import torch

from gankit.compute.compiling import compile_networks
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import remove_unfinished
from gankit.core.files.portable_path import hide_home
from gankit.core.parts.registry import Registry
from gankit.core.process_group import ProcessGroup
from gankit.core.run.settings import Run
from gankit.core.version import __version__
from gankit.data.messages import summarise
from gankit.training import assemble
from gankit.training.assemble import Trainer
from gankit.training.checks.keep_best import check_best_metric
from gankit.training.run_folder.folder import RunFolder
from gankit.training.run_folder.run_file import write_run
from gankit.training.run_folder.run_parts import (
    TRAINED,
    origins,
    require_parts,
    warn_of_other_values,
)
from gankit.training.weights.begin_weights import Base, describe_begin, warn_of_untrained_d

log = logging.getLogger("gankit")


def resolve_alike(run: Run, prepared: PreparedDataset, group: ProcessGroup) -> Run:
    """The run with its `auto` settings resolved, alike in all processes."""
    run = assemble.resolve_auto(run, prepared)
    return dataclasses.replace(run, precision=group.broadcast(run.precision))


def make_trainer(
    run: Run,
    registry: Registry,
    prepared: PreparedDataset,
    group: ProcessGroup,
    base: Base | None = None,
) -> Trainer:
    """The trainer of a run whose `auto` settings are resolved, alike in all processes.

    `base`: the networks that it begins with.
    """
    run = resolve_alike(run, prepared, group)
    trainer = assemble.assemble(run, registry, prepared, base=base)
    trainer.run = compile_networks(run, trainer.gan)
    return trainer


def reopen_folder(run: Run, folder: RunFolder, registry: Registry, group: ProcessGroup) -> None:
    """Reopen the folder of a run that is resumed; GankitError if a part of it is not loaded."""
    require_parts(run, registry, TRAINED)
    if run.keep_best:
        check_best_metric(registry, run.keep_best)
    warn_of_other_values(run)
    call_on_rank_0(group, lambda: folder.reopen(run))


def call_on_rank_0(group: ProcessGroup, function: Callable[[], object]) -> None:
    """Call a function in process 0; its GankitError is raised in all processes."""
    error: GankitError | None = None
    if group.rank == 0:
        try:
            function()
        except GankitError as raised:
            error = raised
    error = group.broadcast(error)
    if error:
        raise error


def check_agreement(trainer: Trainer, group: ProcessGroup) -> None:
    """GankitError in all processes if one has other pictures, another step or other weights."""
    own = {
        "pictures": trainer.prepared.fingerprint,
        "step": trainer.gan.step,
        "weights": _hash_weights(trainer) if group.world_size > 1 else "",
    }
    of_rank_0 = group.broadcast(own)
    others = [name for name in own if own[name] != of_rank_0[name]]
    differs = ""
    if others:
        cure = "give all processes the same --data and run folder"
        if others == ["weights"]:
            cure = "let networks draw theirs with torch, and tricks with gan.draw in `wrap`"
        names = " and ".join(others)
        differs = f"process {group.rank} starts with other {names} than process 0: {cure}"
    differs = group.first_problem(differs)
    if differs:
        raise GankitError(differs)


def _hash_weights(trainer: Trainer) -> str:
    """A text that is the same for the same weights of both networks."""
    digest = hashlib.sha256()
    for player in (trainer.gan.G, trainer.gan.D):
        for tensor in player.net.state_dict().values():
            digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def begin_folder(
    run: Run,
    trainer: Trainer,
    folder: RunFolder,
    registry: Registry,
    *,
    is_new: bool,
) -> Run:
    """Claim the folder of a new run, tell all processes where it is, and write its run.json.

    Returns the run with its folder.
    """
    group = trainer.gan.process_group
    out = run.out

    def claim() -> None:
        nonlocal out
        out = folder.claim(run)

    if is_new:
        call_on_rank_0(group, claim)
    run = dataclasses.replace(run, out=group.broadcast(out))
    if group.rank == 0:
        folder.remember(run, _record_start(run, trainer, registry))
    return run


def _record_start(run: Run, trainer: Trainer, registry: Registry) -> str:
    """Write and return run.json; say how pictures were read, and warn of those that were skipped.

    What was left half written when the run was killed is deleted.
    """
    prepared = trainer.prepared
    for folder in ("", "samples", "checkpoints", "d-view"):
        remove_unfinished(run.folder / folder)
    versions: dict[str, Any] = {"gankit": __version__, "torch": torch.__version__}
    versions["system"] = platform.platform()
    plugins = origins(run, registry)
    if plugins:
        versions["plugins"] = plugins
    pictures = {
        "pictures": len(prepared.pixels),
        "train": prepared.num_train,
        "holdout": len(prepared.holdout),
        "skipped": [hide_home(line) for line in prepared.skipped],
        "notes": prepared.notes,
    }
    begun_from = {"begun_from": trainer.begun_from} if trainer.begun_from else {}
    written = write_run(run, versions=versions, prepared=pictures, **begun_from)
    if trainer.begun_from:
        log.warning("%s", describe_begin(trainer.begun_from, run.init))
    if trainer.gan.step == 0:
        warn_of_untrained_d(trainer.begun_from, trainer.gan.D.net, trainer.tricks)
    for note in prepared.notes:  # decisions that you may want to change
        log.warning("%s", note)
    if prepared.skipped:
        count = len(prepared.skipped)
        what = "1 file" if count == 1 else f"{count:,} files"
        path = run.folder / "run.json"
        log.warning("skipped %s, listed in %s: %s", what, path, summarise(prepared.skipped))
    return written
