"""Look at a run that was trained without the doctor: at its grids, and at its newest networks."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from pathlib import Path

import torch
from torch import Tensor

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.contracts.seen import PREFIX, History
from gankit.core.device import list_devices
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.progress import no_progress
from gankit.core.run.settings import Run
from gankit.data.alpha import ALPHA
from gankit.runs.grids import list_grids
from gankit.runs.images import cut_grid, from_uint8
from gankit.runs.read_grid import read_grid
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.checkpoints.checkpoint import list_checkpoints
from gankit.training.checkpoints.resume import restored
from gankit.training.run_folder.run_pictures import prepare_begun
from gankit_doctor.look import pictures
from gankit_doctor.look.look import Looker
from gankit_doctor.look.reference import Reference, make_reference

log = logging.getLogger("gankit")
MAX_GRIDS = 60
LOOKS = 5  # at the newest networks: as many as the engine needs


def look_at_old_run(run: Run, registry: Registry, history: History) -> None:
    """Add to a run's history what looks would have seen, as far as it can be known now.

    Its grids give the numbers of pictures. Some more steps of its newest networks, which are
    forgotten afterwards, give the numbers of the players at its end.
    """
    try:
        prepared = prepare_begun(run, registry, no_progress)
    except GankitError as error:  # its pictures or its data set are gone
        log.warning("log.csv has no looks, and none can be taken now: %s", error)
        return
    reference = make_reference(run, prepared, torch.device("cpu"))
    if reference is not None:
        _look_at_grids(run, reference, prepared.num_train, history)
    if list_checkpoints(run.folder / "checkpoints"):
        with contextlib.suppress(GankitError):  # a part is not installed, or all are damaged
            _look_at_networks(run, registry, prepared, history)


def on_this_computer(run: Run) -> Run:
    """The run, on a device of this computer if it was trained on one that is not here."""
    if run.device in ("auto", *list_devices()):
        return run
    return dataclasses.replace(run, device="auto", precision="32")


def _look_at_grids(run: Run, reference: Reference, num_train: int, history: History) -> None:
    constants = {**pictures.floors(reference), "pictures": float(num_train)}
    previous = None
    for step, path in find_grids(run):
        images = read_images(path, run)
        if images is None:
            continue
        numbers, previous = pictures.picture_numbers(images, reference, previous)
        values = {PREFIX + name: float(value) for name, value in (numbers | constants).items()}
        history.add({"step": step, **values})


def _look_at_networks(
    run: Run, registry: Registry, prepared: PreparedDataset, history: History
) -> None:
    run = resolve_auto(on_this_computer(run), prepared)
    trainer = restored(run, lambda stage: assemble(stage, registry, prepared))
    looker = Looker(trainer.run, trainer.gan, prepared)
    start = max([trainer.gan.step, *history.looks])
    history.end = start
    for index in range(LOOKS):
        scalars, record = trainer.recorded_step(trainer.gan.step + index, keeps_updates=True)
        numbers = looker.look(index, record)
        row = {name: float(value) for name, value in scalars.items()}
        row |= {PREFIX + name: float(value) for name, value in numbers.items()}
        row.pop(f"{PREFIX}turnover", None)  # the time between these looks is another
        history.add({**row, "step": start + index + 1})


def find_grids(run: Run) -> list[tuple[int, Path]]:
    """The grids of a run as (step, path), oldest first; of very many, some."""
    grids = [(step, path) for step, path in list_grids(run.folder) if step > 0]
    stride = -(-len(grids) // MAX_GRIDS) or 1
    return grids[::-1][::stride][::-1]


def read_images(path: Path, run: Run) -> Tensor | None:
    """The pictures of a grid as images (N, C, H, W) in [-1, 1]; None if it cannot be read.

    Nor if they are transparent, as the grid shows them on a checkerboard.
    """
    if run.channels == ALPHA:
        return None
    try:
        frames = cut_grid(read_grid(path), run.size)
    except GankitError:
        return None
    if not len(frames):
        return None
    tensor = from_uint8(frames)
    return tensor[:, :1] if run.channels == 1 else tensor
