"""Record D's own view while a run trains, at five of its grids."""

from __future__ import annotations

import json
import logging
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from gankit.core.contracts.loss import Loss
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import describe_reason
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.retried_write import RetriedWrite
from gankit.core.gan import Gan
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run
from gankit.runs.images import arrange, save_picture
from gankit_report.d_view import (
    FOLDER,
    MOMENTS,
    Judged,
    Moment,
    choose_evenly,
    files_of,
    recorded_steps,
)
from gankit_report.judge_pictures import judge_pictures

log = logging.getLogger("gankit")


def moments_of(run: Run) -> list[int]:
    """The steps whose grids D's own view belongs to: five, evenly between the run's grids.

    The grid of step 0, when D has learnt nothing, is one of them only if it makes four to five.
    """
    last = -(-run.steps // run.draw_every)  # grids after the one of step 0
    first = 0 if last + 1 == MOMENTS else 1
    chosen: list[int] = choose_evenly(range(first, last + 1), MOMENTS)
    return [min(number * run.draw_every, run.steps) for number in chosen]


class DViewRecorder:
    """Writes a moment at each of its steps; what goes wrong never ends the run."""

    def __init__(self, run: Run, gan: Gan, registry: Registry, prepared: PreparedDataset) -> None:
        self.gan = gan
        self.prepared = prepared
        self.loss = make_loss(run, registry)
        self.writes = RetriedWrite(run.folder / FOLDER, "its files are written later")
        self.unwritten: list[Moment] = []
        self.has_failed = False  # a D that raises once would raise again

    def record(self, run: Run, step: int, fakes: Tensor) -> None:
        """Record a moment if this is its step; `fakes` are the grid's images (N, C, H, W)."""
        if self.has_failed or step not in moments_of(run):
            return
        try:
            moment = judge_pictures(self.gan, self.loss, run, self.prepared, fakes, step)
        except (Exception, SystemExit) as error:  # of the network's code, or out of memory
            self.has_failed = True
            log.warning("D's own view is missing in the report: %s", describe_reason(error))
            return
        self.unwritten += [moment] if moment else []
        self.write(run)

    def write(self, run: Run) -> None:
        """Write the moments that are not written yet; if that fails, they are kept."""
        with self.writes.attempt():
            while self.unwritten:
                write_moment(run, self.unwritten[0])
                self.unwritten.pop(0)


def make_loss(run: Run, registry: Registry) -> Loss:
    """A copy of the run's loss, to read D's answers with; random draws stay as they were."""
    with torch.random.fork_rng(devices=[]):
        loss: Loss = registry.make("loss", run.loss)
    return loss


def write_moment(run: Run, moment: Moment) -> None:
    """Write a moment into the run's folder. OSError."""
    sheet_path, path = files_of(run.folder / FOLDER, moment.step)
    pictures = [*_row(moment.reals), *_row(moment.fakes)]
    sheet = arrange(np.stack(pictures), columns=len(moment.reals), gap=0)
    save_picture(sheet, sheet_path)
    width, height = moment.reals[0].picture.size
    record = {
        "size": width,
        **({} if height == width else {"height": height}),
        "reals": [judged.score for judged in moment.reals],
        "fakes": [judged.score for judged in moment.fakes],
    }
    write_atomically(path, json.dumps(record) + "\n")


def _row(judged: list[Judged]) -> list[np.ndarray]:
    """The pictures, then their heat maps: arrays (H, W, 3)."""
    pictures = [item.picture for item in judged] + [item.heat for item in judged]
    return [np.asarray(picture) for picture in pictures]


def forget_moments_after(run: Run, step: int) -> None:
    """Delete the moments after a step that a resumed run takes again."""
    for later in recorded_steps(run.folder):
        if later > step:
            for path in files_of(run.folder / FOLDER, later):
                with suppress(OSError):
                    path.unlink()
