"""d-too-weak: D does not see differences that a simple judge sees."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.blindfolds import find_hiding, strengthen_d
from gankit_doctor.cures import d_rate
from gankit_doctor.signs import is_frozen


class DTooWeak(Rule):
    """D's AUC stays near chance, though pictures differ so much that simple features tell."""

    needs = ("doctor.auc", "doctor.simple", "doctor.far", "doctor.logit")
    causes = ("mode-collapse", "missing-modes", "oscillation", "colour-shift", "checkerboard",
              "stalled", "vanishing-gradient")  # fmt: skip
    why_wrong = "If G's pictures are as good as real ones, D cannot tell them apart, and need not."

    def __init__(
        self,
        auc: float = 0.78,
        stay: float = 0.85,
        blind: float = 0.97,
        fooled: float = 0.3,
        simple: float = 0.8,
        left: float = 0.65,
        flat: float = 0.1,
    ) -> None:
        self.auc = auc
        self.stay = stay
        self.blind = blind  # the AUC, for a D from which a trick hides nearly everything
        self.fooled = fooled  # below it, D is not blind: G is ahead of it
        self.left = left  # share of the largest distance to real pictures so far
        self.flat = flat  # the mean size of D's answers: it gives all pictures the same one
        self.simple = simple  # how well one simple feature tells, from 0 to 1

    def look(self, seen: Seen) -> Finding | None:
        auc = seen.last("auc", 5)
        simple = seen.last("simple", 3)
        hidden = find_hiding(seen)
        enter = self.blind if hidden else self.auc
        if auc > max(enter, self.stay) or simple < self.simple or is_frozen(seen):
            return None
        run = seen.run
        has_scale = run.loss.name != "wasserstein" and run.lr_g <= 2 * d_rate(run)
        is_flat = has_scale and seen.last("logit", 5) < self.flat
        if not (hidden or is_flat or seen.is_bad(self.left, 0.4)):
            return None
        fooled = 2 * self.fooled if run.lr_g > 4 * d_rate(run) else self.fooled
        if auc < fooled and not hidden:  # G is ahead of a D that sees
            return None
        cure, options = strengthen_d(run, hidden)
        return Finding(
            level="enter" if auc < enter else STAY,
            setting=f"--trick {hidden[0]}" if hidden else "",
            text=f"D is right in only {100 * auc:.0f} % of pairs of a real picture and a fake "
            "(50 % is guessing, less is wrong), though one simple number tells nearly all of them.",
            evidence={
                "doctor.auc": auc,
                "doctor.simple": simple,
                "doctor.far": seen.last("far", 3),
            },
            cure=cure,
            options=options,
        )
