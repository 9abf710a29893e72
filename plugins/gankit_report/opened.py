"""`gankit report RUN --checkpoint best`: the step at which the page opens, and its pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from gankit.core.parts.registry import Registry
from gankit.runs.sampler import load
from gankit.training.checkpoints.named_checkpoint import Step
from gankit.training.run_folder.run_file import GRID_SIZE, grid_shows_seeds
from gankit_report.film import Film, Frame, encode_frame


@dataclass(frozen=True)
class Opened:
    """The step of a checkpoint, and the grid that its G draws."""

    step: int
    frame: Frame | None  # None if the grids of this older run show other z

    def add_to(self, film: Film) -> Film:
        """The film with this grid, unless it has one of this step."""
        if self.frame is None or self.step in [frame.step for frame in film.frames]:
            return film
        frames = sorted([*film.frames, self.frame], key=lambda frame: frame.step)
        return dataclasses.replace(film, frames=frames, total=film.total + 1)


def open_at(folder: Path, checkpoint: Step, registry: Registry | None) -> Opened:
    """Draw the grid of a checkpoint. GankitError if the run has no such checkpoint."""
    sampler = load(folder, checkpoint, registry)
    frame = None
    if grid_shows_seeds(folder):
        frame = encode_frame(sampler.step, sampler.grid(GRID_SIZE))
    return Opened(sampler.step, frame)
