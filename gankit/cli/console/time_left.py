"""How fast a run goes, and how long it will still take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit.core.clock import format_time_left, rate

if TYPE_CHECKING:
    from gankit.core.gan import Gan


class TimeLeft:
    """The speed of a run in its present phase; with one phase only, since it began or resumed."""

    def __init__(self, gan: Gan) -> None:
        self.gan = gan
        self.phase = gan.phase
        self.step = gan.step  # at which the phase began, or the run was resumed
        self.seconds = 0.0  # of the run at that step
        self.speed = 0.0  # steps per second
        self.is_new = False  # whether the phase began just now, so the speed is that before it

    def update(self, step: int, seconds: float) -> float:
        """The speed, in steps per second, when `step` steps are done after `seconds`."""
        self.speed = rate(step - self.step, seconds - self.seconds)
        self.is_new = self.gan.phase != self.phase
        if self.is_new:
            self.phase = self.gan.phase
            self.step = step
            self.seconds = seconds
        return self.speed

    def describe(self, steps: int) -> str:
        """How long these steps take; "more than" if they may become slower."""
        has_later_phases = self.phase < len(self.gan.phases)
        least = "more than " if self.is_new or has_later_phases else ""
        return least + format_time_left(steps, self.speed)
