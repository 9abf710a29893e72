"""d-overfits: D tells training pictures from new real ones: it knows them by heart."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import few_pictures_cure, for_few_pictures
from gankit_doctor.signs import d_races, few_pictures


class DOverfits(Rule):
    """The AUC of D for training pictures against held-out ones, over the last looks."""

    needs = ("doctor.auc_held",)
    warm_up = 0.2
    causes = ("memorisation", "mode-collapse", "missing-modes", "stalled", "d-dominates",
              "too-few-pictures")  # fmt: skip
    why_wrong = (
        "Held-out pictures of another kind, such as a folder sorted by date, look like this."
    )

    def __init__(self, high: float = 0.63, low: float = 0.57) -> None:
        self.high = high  # chance varies a mean of five looks by 0.05 around 0.5
        self.low = low

    def look(self, seen: Seen) -> Finding | None:
        series = seen.look("auc_held")
        recent = series.values[-max(5, len(series) // 3) :]
        if len(recent) < 3:
            return None
        mean = sum(recent) / len(recent)
        if mean < self.low:
            return None
        return Finding(
            level="enter" if mean > self.high else STAY,
            setting=few_pictures(seen),
            is_note=bool(d_races(seen.run)),  # then it is a consequence
            text=f"D prefers the pictures it was trained on to real ones it has not seen, in "
            f"{100 * mean:.0f} % of pairs (50 % if it knows none by heart).",
            evidence={"doctor.auc_held": mean},
            cure=few_pictures_cure(seen.run),
            options=for_few_pictures(seen.run),
        )
