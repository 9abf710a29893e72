"""dead-units: units of a layer are always 0, so they get no gradient and cannot learn."""

from __future__ import annotations

from gankit.core.rule import Finding, Rule, level_of
from gankit.core.seen import Seen
from gankit_doctor.cures import scale_rate


class DeadUnits(Rule):
    """The share of units without any gradient, in the layer that has most of them."""

    needs = ("doctor.dead_d", "doctor.dead_g")
    causes = ("mode-collapse", "missing-modes", "colour-shift", "checkerboard", "stalled",
              "vanishing-gradient", "oscillation")  # fmt: skip
    judges_pictures = False
    why_wrong = "Networks that switch off units on purpose look like this."

    def __init__(self, high: float = 0.5, low: float = 0.3) -> None:
        self.high = high
        self.low = low

    def look(self, seen: Seen) -> Finding | None:
        for player in ("g", "d"):
            share = seen.last(f"dead_{player}", 3)
            level = level_of(share, self.high, self.low)
            if level:
                return Finding(
                    level=level,
                    text=f"In a layer of {player.upper()}, {100 * share:.0f} % of the units are "
                    "always 0 and cannot learn.",
                    evidence={f"doctor.dead_{player}": share},
                    cure="Start again with a quarter of the learning rate, or use a network with "
                    "leaky units.",
                    options=scale_rate(seen.run, 0.25, player),
                )
        return None
