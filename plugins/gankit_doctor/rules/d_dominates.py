"""d-dominates: D is so far ahead that G learns nothing from it."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit.core.parts.choice import Choice
from gankit_doctor.cures import hold_d_back
from gankit_doctor.signs import d_races, is_frozen


class DDominates(Rule):
    """D tells all pictures apart by a wide gap, and the pictures stay as they are."""

    needs = ("doctor.auc", "doctor.logit_gap", "doctor.far")
    causes = ("mode-collapse", "missing-modes", "colour-shift", "checkerboard", "stalled",
              "oscillation", "dead-units", "unbounded-critic")  # fmt: skip
    why_wrong = "D may be ahead and still teach G: then pictures get better, and this is a note."

    def __init__(
        self,
        auc: float = 0.99,
        gap: float = 4.0,
        left: float = 0.72,
        moves: float = 0.5,
    ) -> None:
        self.auc = auc
        self.gap = gap  # of D's mean answers, in their standard deviations
        self.left = left  # share of the largest distance to real pictures so far
        self.moves = moves  # change of a picture between looks, from which on G does learn

    def look(self, seen: Seen) -> Finding | None:
        run = seen.run
        auc = seen.last("auc", 5)
        gap = seen.last("logit_gap", 5)
        least = self.gap / 2 if d_races(run) else self.gap
        left = max(seen.left("quality"), seen.left("texture"))
        if auc < self.auc - 0.04 or gap < least / 2 or left < 0.8 * self.left:
            return None
        if seen.last("turnover", 5) > self.moves or is_frozen(seen):
            return None
        is_beyond = auc >= self.auc and gap > least and left > self.left
        cure, options = hold_d_back(run)
        if run.loss.name == "minimax":  # flat where D is sure
            options["loss"] = Choice("non-saturating")
        return Finding(
            level="enter" if is_beyond else STAY,
            setting=d_races(run),
            text="D tells real pictures from G's without an error and by a wide gap, and G's "
            "pictures hardly change.",
            evidence={"doctor.auc": auc, "doctor.logit_gap": gap,
                      "d_fake": seen.series("d_fake").last(8), "doctor.far": seen.last("far", 3)},
            cure=cure,
            options=options,
        )  # fmt: skip
