"""oscillation: the players run in circles: each grid is another, and none is better."""

from __future__ import annotations

from gankit.core.rule import Finding, Rule, level_of
from gankit.core.seen import Seen
from gankit_doctor.cures import add_tricks, scale_rate


class Oscillation(Rule):
    """The same z gives another picture at each look, and pictures get no better."""

    needs = ("doctor.turnover", "doctor.diversity", "doctor.far")
    warm_up = 0.3
    causes = ("missing-modes", "stalled")
    why_wrong = "Some circling is normal: here it counts only where pictures get no better."

    def __init__(self, high: float = 0.55, low: float = 0.42) -> None:
        self.high = high  # the change of a picture between looks, against the distance of real ones
        self.low = low

    def look(self, seen: Seen) -> Finding | None:
        turnover = seen.last("turnover", 5)
        level = level_of(turnover, self.high, self.low)
        if level is None or len(seen.look("turnover")) < 4:
            return None
        run = seen.run
        options = {**scale_rate(run, 0.25, "d", "g"), "beta1": 0.5}
        return Finding(
            level=level,
            text=f"A picture of the same z changes between two looks by {100 * turnover:.0f} % of "
            "what real pictures differ by: the players run in circles.",
            evidence={"doctor.turnover": turnover, "doctor.diversity": seen.last("diversity", 5),
                      "doctor.far": seen.last("far", 3)},
            cure="Take shorter steps with less momentum, and draw with an average of G: "
            "--trick ema.",
            options={**options, **add_tricks(run, "ema")},
        )  # fmt: skip
