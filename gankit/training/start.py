"""What happens once before the first step: all processes agree, and run.json is written."""

import logging
import platform
from typing import Any

import torch

from gankit.core.errors import GankitError
from gankit.core.portable_path import hide_home
from gankit.core.prepared import PreparedDataset
from gankit.core.process_group import ProcessGroup
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.core.version import __version__
from gankit.data.messages import summarise
from gankit.training.assemble import Trainer
from gankit.training.run_file import write_run
from gankit.training.run_parts import origins

log = logging.getLogger("gankit")


def check_agreement(trainer: Trainer, group: ProcessGroup) -> None:
    """GankitError if this process has other pictures or another step than rank 0."""
    own = {"pictures": trainer.run.fingerprint, "step": trainer.gan.step}
    of_rank_0 = group.broadcast(own)
    if own != of_rank_0:
        differs = f"process {group.rank} starts with {own}, process 0 with {of_rank_0}"
        raise GankitError(f"{differs}: give all processes the same --data and run folder")


def record_start(run: Run, registry: Registry, prepared: PreparedDataset) -> None:
    """Write run.json; say how pictures were read, and warn of those that were skipped."""
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
    write_run(run, versions=versions, prepared=pictures)
    for note in prepared.notes:  # decisions that you may want to change
        log.warning("%s", note)
    if prepared.skipped:
        count = len(prepared.skipped)
        what = "1 file" if count == 1 else f"{count:,} files"
        path = run.folder / "run.json"
        log.warning("skipped %s, listed in %s: %s", what, path, summarise(prepared.skipped))
