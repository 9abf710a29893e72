"""A look: numbers of one moment of a run, which become the columns `doctor.*` of log.csv."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gankit.training.run_folder.grid_latents import grid_latents
from gankit_doctor.look import pictures
from gankit_doctor.look.players import judge_numbers, player_numbers
from gankit_doctor.look.reference import make_reference

if TYPE_CHECKING:
    from gankit.core.contracts.prepared import PreparedDataset
    from gankit.core.gan import Gan
    from gankit.core.recorder import StepRecord
    from gankit.core.run.settings import Run

LOOKS = 60  # about, in a run that is long enough
PICTURES_BETWEEN = 1280  # trained on between two looks, at least


def look_interval(run: Run) -> int:
    """The steps between two looks: a multiple of --log-every, so that each look has its row.

    It depends on the run's settings only, not on the speed of the machine.
    """
    pictures_per_step = run.batch_size * run.d_steps
    steps = max(run.steps // LOOKS, -(-PICTURES_BETWEEN // pictures_per_step), 1)
    return run.log_every * -(-steps // run.log_every)


class Looker:
    """Looks at a run without changing it, and remembers the grid of its last look."""

    def __init__(self, run: Run, gan: Gan, prepared: PreparedDataset) -> None:
        self.run = run
        self.gan = gan
        self.num_train = prepared.num_train
        device = gan.machine.device
        device = device if device.type == "cuda" else torch.device("cpu")
        self.reference = make_reference(run, prepared, device)
        self.z = grid_latents(run)
        self.previous: Tensor | None = None
        self.constants = pictures.floors(self.reference) if self.reference else {}

    @torch.no_grad()
    def look(self, turn: int, record: StepRecord) -> dict[str, float | Tensor]:
        """The numbers of look `turn`; tensors () are on the run's device and were not read."""
        numbers: dict[str, float | Tensor] = {}
        numbers |= player_numbers(record, self.gan)
        numbers["pictures"] = float(self.num_train)
        if self.reference is None:
            return numbers
        with self.gan.machine.autocast():  # as fast as a step; the numbers need no more digits
            grid = self.gan.sample(self.z)
            if not torch.isfinite(grid).all():
                return numbers
            if turn % 2 == 0:  # what D knows by heart changes slowly
                numbers |= judge_numbers(self.gan, self.reference, turn // 2)
        seen, self.previous = pictures.picture_numbers(grid, self.reference, self.previous)
        return numbers | seen | self.constants
