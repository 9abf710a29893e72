"""penalty-too-strong: D obeys its penalty and learns nothing else."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.penalties import (
    WEIGHTS,
    interval_of,
    is_heavy,
    make_weaker,
    times_default,
)


class PenaltyTooStrong(Rule):
    """The penalty is large against the loss, and D's answers hardly differ between pictures."""

    needs = ("doctor.far", "doctor.logit", "doctor.auc")
    causes = ("d-too-weak", "mode-collapse", "missing-modes", "colour-shift", "oscillation",
              "checkerboard", "stalled", "vanishing-gradient", "d-dominates")  # fmt: skip
    why_wrong = "Right after the start, penalties are large in healthy runs, too."

    def __init__(
        self,
        share: float = 0.7,
        answer: float = 0.3,
        left: float = 0.6,
        huge: float = 10.0,
        auc: float = 0.95,
    ) -> None:
        self.share = share  # of the penalty in D's loss and penalty together
        self.answer = answer  # the mean size of D's answers, below which D is flat
        self.left = left  # share of the largest distance to real pictures
        self.huge = huge  # times the default weight, from which on bad pictures are enough
        self.auc = auc  # from which on D has learnt something else

    def look(self, seen: Seen) -> Finding | None:
        penalties = [trick for trick in seen.run.tricks if trick.name in WEIGHTS]
        names = [trick.name for trick in penalties]
        huge = [str(trick) for trick in penalties if times_default(trick) >= self.huge]
        if not names or not seen.is_bad(0.8 * self.left):
            return None
        if seen.last("auc", 5) > self.auc and not huge:
            return None
        d_loss = seen.series("d_loss").last(10)
        is_logged = seen.has(["penalty"])
        penalty = seen.series("penalty").last(10) / interval_of(penalties) if is_logged else 0.0
        share = penalty / max(penalty + abs(d_loss), 1e-9)
        answer = seen.last("logit", 5)
        flat = self.answer / max(answer, 1e-9) if any(map(is_heavy, penalties)) else 0.0
        excess = max(share / self.share, flat)
        if excess < 0.7 and not huge:
            return None
        reason = f"it is {100 * share:.0f} % of what D minimises"
        if flat > share / self.share:
            reason = f"D's answers have a mean size of only {answer:.2g}"
        is_beyond = bool(excess > 1 or huge) and seen.is_bad(self.left)
        return Finding(
            level="enter" if is_beyond else STAY,
            setting=f"--trick {huge[0]}" if huge else "",
            text=f"The penalty of {' and '.join(names)} holds D flat: {reason}.",
            evidence=({"penalty": seen.series("penalty").last(10)} if is_logged else {})
            | {"d_loss": d_loss, "doctor.logit": answer, "doctor.far": seen.last("far", 3)},
            cure=f"Make the penalty of {' and '.join(names)} far weaker.",
            options=make_weaker(seen.run),
        )  # fmt: skip
