"""oscillation: the players run in circles: each grid is another, and none is better."""

from __future__ import annotations

import math

from gankit.core.contracts.rule import ENTER, Finding, Rule, level_of
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import EVEN, USUAL_RATE, add_missing, even_generator, scale_rate
from gankit_doctor.signs import UNEVEN_KERNELS, long_momentum


class Oscillation(Rule):
    """The same z gives another picture at each look, and pictures get no better."""

    needs = ("doctor.turnover", "doctor.diversity", "doctor.far", "doctor.texture")
    warm_up = 0.3
    causes = ("missing-modes", "stalled")
    why_wrong = "Some circling is normal: here it counts only where pictures get no better."

    def __init__(
        self, high: float = 0.55, low: float = 0.42, left: float = 0.58, far: float = 0.1
    ) -> None:
        self.high = high  # the change of a picture between looks, against the distance of real ones
        self.low = low  # both for looks that are 1,280 pictures apart
        self.left = left  # share of the largest distance to real pictures: they are bad
        self.far = far  # distance of shapes, below which they are good in any case

    def look(self, seen: Seen) -> Finding | None:
        if len(seen.look("turnover")) < 4:
            return None
        turnover = seen.last("turnover", 5)
        drift = usual_drift(seen)
        level = level_of(turnover, self.high * drift, self.low * drift)
        jumps = turnover > 2 * self.high * drift and not seen.is_good
        setting = long_momentum(seen)
        if setting and level:
            level = ENTER
        if level is None or not (setting or jumps or self._is_bad(seen)):
            return None
        run = seen.run
        rates = scale_rate(run, 0.25, "d", "g")
        options = {player: min(rate, USUAL_RATE) for player, rate in rates.items()}
        steps = "shorter steps with less momentum" if run.beta1 > 0.5 else "shorter steps"
        even = even_generator(run) if run.generator.name in UNEVEN_KERNELS else {}
        return Finding(
            level=level,
            setting=setting,
            text=f"A picture of the same z changes between two looks by {100 * turnover:.0f} % of "
            "what real pictures differ by: the players run in circles.",
            evidence={"doctor.turnover": turnover, "doctor.diversity": seen.last("diversity", 5),
                      "doctor.far": seen.last("far", 3)},
            cure=f"Take {steps}, and draw with an average of G: --trick ema."
            + (f" {EVEN}" if even else ""),
            options={**options, "beta1": min(run.beta1, 0.5), **add_missing(run, "ema"), **even},
        )  # fmt: skip

    def _is_bad(self, seen: Seen) -> bool:
        """Whether the details, or the shapes, are not much better than at their worst."""
        shapes_are_bad = seen.left("far") > self.left and seen.last("far", 3) > self.far
        return shapes_are_bad or seen.left("texture") > self.left


def usual_drift(seen: Seen) -> float:
    """How much more a picture changes between two looks than between 1,280 pictures.

    In a healthy run it changes like a random walk: with the root of the time, up to a limit.
    """
    steps = seen.look("turnover").steps
    pictures = (steps[-1] - steps[-2]) * seen.run.batch_size * seen.run.d_steps
    return min(math.sqrt(max(1.0, pictures / 1280)), 1.5)
