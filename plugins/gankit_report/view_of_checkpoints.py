"""D's own view of a run that recorded none: from the checkpoints that remain."""

from __future__ import annotations

import logging
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.gan import Gan
from gankit.core.parts.registry import Registry, registry_of
from gankit.training.assemble import build_gan
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.check_checkpoint import check_keys, load_weights
from gankit.training.run_folder.grid_latents import grid_latents
from gankit.training.run_folder.run_file import load_run
from gankit.training.run_folder.run_parts import TRAINED, require_parts
from gankit.training.run_folder.run_pictures import prepare_again
from gankit_report.d_view import MOMENTS, Moment, choose_evenly
from gankit_report.judge_pictures import judge_pictures
from gankit_report.record_d_view import make_loss

log = logging.getLogger("gankit")


def view_checkpoints(run_folder: Path, registry: Registry | None = None) -> list[Moment]:
    """The moments at which a run has checkpoints, at most five; empty if it has none.

    Both networks are built again, and the run's pictures are prepared again, so it takes seconds.
    Nothing is written. A checkpoint that cannot be used is passed over with a warning. GankitError
    if a part or the pictures of the run are missing.
    """
    run = load_run(run_folder, device="cpu", precision="32", threads=0)
    saved = checkpoint.list_checkpoints(run.folder / "checkpoints")
    if not saved:
        return []
    registry = registry_of(run, registry)
    require_parts(run, registry, TRAINED)
    prepared = prepare_again(run, registry)
    gan, _ = build_gan(run, registry)
    loss = make_loss(run, registry)
    z = grid_latents(run)
    moments = []
    for path in reversed(choose_evenly(saved, MOMENTS)):
        try:
            step = _load(gan, path)
        except GankitError as error:
            log.warning("%s; this moment is omitted", error)
            continue
        moment = judge_pictures(gan, loss, run, prepared, gan.sample(z), step)
        moments += [moment] if moment else []
    return moments


def _load(gan: Gan, path: Path) -> int:
    """Load both networks from a checkpoint, G as it samples; returns its step. GankitError."""
    saved = checkpoint.load(path)
    with checkpoint.errors_of(path):
        check_keys("model", saved.model, {"G", "D"}, {"sampler"})
        load_weights(gan.D.net, saved.model["D"], "D")
        load_weights(gan.G.net, saved.model.get("sampler", saved.model["G"]), "G")
    gan.sampler = gan.G.net
    return saved.step
