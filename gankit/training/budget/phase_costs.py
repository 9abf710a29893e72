"""What a step costs in each phase of a run, if its steps do not always take the same time."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from gankit.core.clock import MIN_SECONDS
from gankit.training.assemble import Trainer

LONG = 1_000_000  # steps, of a run that is planned only to be timed
WARM_UP = 3  # steps at the beginning of each phase
MIN_STEPS = 4  # that are timed in each phase
MAX_STEPS = 2000  # enough of very short ones; also ends if the clock stands still


@dataclass(frozen=True)
class PhaseCosts:
    """The time of a step in each phase; by default there is one phase, and all steps are alike."""

    begins: tuple[float, ...] = (0.0,)  # shares of the run, in order
    seconds: tuple[float, ...] = (1.0,)

    def between(self, begin: float, end: float) -> float:
        """The time between two shares of a run of one step; for a run of n steps, n times that."""
        ends = (*self.begins[1:], 1.0)
        total = 0.0
        for first, last, seconds in zip(self.begins, ends, self.seconds, strict=True):
            total += seconds * max(0.0, min(last, end) - max(first, begin))
        return total

    def mean(self, begin: float = 0.0, end: float = 1.0) -> float:
        """The mean time of the steps between two shares of the run."""
        return self.between(begin, end) / (end - begin)


def stay_in_first_phase(trainer: Trainer) -> None:
    """Make the run so long that its next steps are of its first phase, if it has several."""
    if trainer.gan.phases:
        trainer.run = dataclasses.replace(trainer.run, steps=LONG, earlier_plans=())


def time_phases(trainer: Trainer, min_seconds: float = 1.5) -> PhaseCosts:
    """Time some steps of each phase; do not train with the trainer afterwards.

    If there is one phase only, nothing is timed.
    """
    begins = tuple(sorted({0.0, *trainer.gan.phases}))
    if len(begins) == 1:
        return PhaseCosts()
    stay_in_first_phase(trainer)
    seconds = [_time_steps(trainer, round(b * LONG), min_seconds / len(begins)) for b in begins]
    return PhaseCosts(begins, tuple(seconds))


def _time_steps(trainer: Trainer, first: int, min_seconds: float) -> float:
    """The seconds of a step, on average over some steps from number `first` on."""
    for step in range(first, first + WARM_UP):
        trainer.step(step)
    started = time.perf_counter()
    seconds = MIN_SECONDS
    count = 0
    while count < MIN_STEPS or (seconds < min_seconds and count < MAX_STEPS):
        float(trainer.step(first + WARM_UP + count)["g_loss"])  # waits for the device
        count += 1
        seconds = max(MIN_SECONDS, time.perf_counter() - started)
    return seconds / count
