"""d-too-weak: D does not see differences that a simple judge sees."""

from __future__ import annotations

from gankit.core.rule import STAY, Finding, Rule
from gankit.core.seen import Seen
from gankit_doctor.cures import drop_tricks

BLINDFOLDS = ("noisy-d", "flip-labels", "dropout-d", "blur", "noisy-labels", "smooth-labels",
              "diffaugment", "ada", "replay")  # fmt: skip


class DTooWeak(Rule):
    """D's AUC stays near chance, though pictures differ so much that simple features tell."""

    needs = ("doctor.auc", "doctor.simple", "doctor.far")
    causes = ("mode-collapse", "missing-modes", "oscillation", "colour-shift", "checkerboard",
              "stalled", "vanishing-gradient")  # fmt: skip
    why_wrong = "If G's pictures are as good as real ones, D cannot tell them apart, and need not."

    def __init__(
        self,
        auc: float = 0.78,
        stay: float = 0.85,
        fooled: float = 0.3,
        simple: float = 0.8,
        left: float = 0.65,
    ) -> None:
        self.auc = auc
        self.stay = stay
        self.fooled = fooled  # below it, D is not blind: G is ahead of it
        self.left = left  # share of the first distance to real pictures
        self.simple = simple  # how well one simple feature tells, from 0 to 1

    def look(self, seen: Seen) -> Finding | None:
        auc = seen.last("auc", 5)
        simple = seen.last("simple", 3)
        if auc > self.stay or simple < self.simple or not seen.is_bad(self.left, 0.4):
            return None
        run = seen.run
        blindfolds = [trick.name for trick in run.tricks if trick.name in BLINDFOLDS]
        if auc < self.fooled and not blindfolds:  # G is ahead of a D that sees
            return None
        if blindfolds:
            cure = f"Omit what hides the pictures from D: {', '.join(blindfolds)}."
            options = drop_tricks(run, *blindfolds)
        else:
            cure = "Let D learn faster than G."
            options = {"lr_d": max(run.lr_d, 2e-4), "lr_g": min(run.lr_g, 2e-4)}
        return Finding(
            level="enter" if auc < self.auc else STAY,
            text=f"D is right in only {100 * auc:.0f} % of pairs of a real picture and a fake "
            "(50 % is guessing), though one simple number tells nearly all of them.",
            evidence={
                "doctor.auc": auc,
                "doctor.simple": simple,
                "doctor.far": seen.last("far", 3),
            },
            cure=cure,
            options=options,
        )
