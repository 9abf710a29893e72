"""dead-units: units of a layer are always 0, so they get no gradient and cannot learn."""

from __future__ import annotations

from gankit.core.init_text import split_init
from gankit.core.rule import Finding, Rule, level_of
from gankit.core.seen import Seen
from gankit_doctor.cures import Options, scale_rate


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
            if not level:
                continue
            if seen.run.init and seen.look(f"dead_{player}").values[0] > self.low:
                origin = f" They were so in {split_init(seen.run.init)[0]} already."
                cure = (
                    "Begin without that run, or with an earlier checkpoint of it: --init RUN:STEP."
                )
                options: Options = {"init": ""}
            else:
                origin = ""
                cure = (
                    "Start again with a quarter of the learning rate, or use a network with "
                    "leaky units."
                )
                options = scale_rate(seen.run, 0.25, player)
            return Finding(
                level=level,
                text=f"In a layer of {player.upper()}, {100 * share:.0f} % of the units are "
                f"always 0 and cannot learn.{origin}",
                evidence={f"doctor.dead_{player}": share},
                cure=cure,
                options=options,
            )
        return None
