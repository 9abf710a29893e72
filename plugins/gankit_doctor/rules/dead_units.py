"""dead-units: units of a layer are always 0, so they get no gradient and cannot learn."""

from __future__ import annotations

from gankit.core.contracts.rule import Finding, Rule, level_of
from gankit.core.contracts.seen import Seen
from gankit.core.run.init_text import split_init
from gankit_doctor.cures import Options, drop_tricks, scale_rate

USUAL_STEP = 0.03  # a change of the weights, as a share of their size, that kills no units


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
            cure, options = self._cure(seen, player)
            base, _, _ = split_init(seen.run.init)
            origin = f" Perhaps they were so in {base} already." if "init" in options else ""
            return Finding(
                level=level,
                text=f"In a layer of {player.upper()}, {100 * share:.0f} % of the units are "
                f"always 0 and cannot learn.{origin}",
                evidence={f"doctor.dead_{player}": share},
                cure=cure,
                options=options,
            )
        return None

    def _cure(self, seen: Seen, player: str) -> tuple[str, Options]:
        """What to do, in words and as settings; of units that a base brought, to leave it."""
        share = seen.look(f"dead_{player}")
        is_soon = share.steps[0] <= 0.1 * seen.steps
        is_usual = seen.look(f"step_{player}").first() < USUAL_STEP
        if seen.run.init and is_soon and is_usual and share.values[0] > self.high:
            cure = "Begin without that run, or with a checkpoint of it from before they died."
            return cure, {"init": "", **drop_tricks(seen.run, "freeze-d")}
        cure = "Start again with a quarter of the learning rate, or use a network with leaky units."
        return cure, scale_rate(seen.run, 0.25, player)
