"""vanishing-gradient: D is sure, and its loss is flat there, so G gets no gradient."""

from __future__ import annotations

import math

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit.core.parts.choice import Choice
from gankit_doctor.cures import scale_rate


class VanishingGradient(Rule):
    """G's gradient is a small part of what it was at its largest, while D tells all pictures."""

    needs = ("doctor.grad_g", "doctor.auc")
    causes = ("d-dominates", "mode-collapse", "missing-modes", "colour-shift", "checkerboard",
              "stalled", "oscillation")  # fmt: skip
    why_wrong = "G's gradient also shrinks when its pictures become good."

    def __init__(
        self, high: float = 0.02, low: float = 0.05, auc: float = 0.95, flat: float = 0.05
    ) -> None:
        self.high = high  # share of the largest gradient
        self.low = low
        self.auc = auc
        self.flat = flat  # of G's minimax loss: minus the chance that D takes a fake for real

    def look(self, seen: Seen) -> Finding | None:
        gradients = seen.look("grad_g")
        # Steps whose gradients are infinite are omitted in float16.
        finite = [value for value in gradients.values if math.isfinite(value)]
        share = gradients.last(3) / max([1e-12, *finite])
        auc = seen.last("auc", 3)
        if auc < self.auc or not seen.is_bad(0.65):
            return None
        g_loss = abs(seen.series("g_loss").last(8))
        is_saturating = seen.run.loss.name == "minimax"
        excess = self.high / max(share, 1e-9)
        why = f"G's gradient is {100 * share:.2g} % of its largest"
        if is_saturating and self.flat / max(g_loss, 1e-9) > excess:
            excess = self.flat / max(g_loss, 1e-9)
            why = f"G's minimax loss is {g_loss:.2g}, where it is flat"
        if excess < self.high / self.low:
            return None
        options = scale_rate(seen.run, 0.25, "d")
        cure = "Lower D's learning rate."
        if is_saturating:
            cure = "Use --loss non-saturating, and lower D's learning rate."
            options["loss"] = Choice("non-saturating")
        return Finding(
            level="enter" if excess > 1 else STAY,
            setting="--loss is minimax" if is_saturating else "",
            text=f"{why}, and D is right in {100 * auc:.0f} % of pairs of a real picture and a "
            "fake: G learns nothing from D.",
            evidence={
                "doctor.grad_g": gradients.last(3),
                "doctor.auc": auc,
                "g_loss": seen.series("g_loss").last(8),
            },
            cure=cure,
            options=options,
        )
