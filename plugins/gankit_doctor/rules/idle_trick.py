"""idle-trick: a trick does nothing, or nothing that could matter."""

from __future__ import annotations

from gankit.core.contracts.rule import Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import drop_tricks, option_of

HOLD_BACK_D = ("noisy-d", "flip-labels", "dropout-d", "noisy-labels", "blur", "smooth-labels")
SMALLEST = 1 / 255  # a grey level, of pixels between 0 and 1
STRENGTHS = {"noisy-d": ("sigma", 2 * SMALLEST), "flip-labels": ("p", 0.0),
             "dropout-d": ("p", 0.0), "replay": ("share", 0.0), "noisy-labels": ("amount", 0.0),
             "blur": ("sigma", 0.1), "ema": ("decay", 0.0), "r1": ("gamma", 0.0),
             "r2": ("gamma", 0.0), "wgan-gp": ("weight", 0.0), "dragan": ("weight", 0.0),
             "lecam": ("weight", 0.0), "feature-matching": ("weight", 0.0),
             "gradient-clipping": ("norm", 0.0)}  # fmt: skip


class IdleTrick(Rule):
    """A trick that never said it did something, or whose strength is set to nothing."""

    warm_up = 0.1
    patience = 2
    is_only_note = True
    causes = ("vanishing-gradient", "d-dominates", "mode-collapse")
    judges_pictures = False
    why_wrong = "A trick may be meant to act only later in the run."

    def look(self, seen: Seen) -> Finding | None:
        for trick in seen.run.tricks:
            reason = self._why_idle(seen, trick.name)
            if reason:
                return Finding(
                    setting=f"--trick {trick}",
                    is_note=trick.name not in HOLD_BACK_D,  # else D may be ahead because of it
                    text=f"The trick {trick.name} {reason}.",
                    evidence={
                        "trick": str(trick),
                        trick.name: (seen.texts(trick.name) or ["-"])[-1],
                    },
                    cure="Omit it, or give it the strength that you meant: "
                    f"gankit show {trick.name}.",
                    options=drop_tricks(seen.run, trick.name),
                )
        return None

    def _why_idle(self, seen: Seen, name: str) -> str:
        trick = seen.trick(name)
        if trick and name in STRENGTHS:
            key, least = STRENGTHS[name]
            if key in trick.options and option_of(trick, key, 1.0) <= least:
                return f"is too weak to matter: {key} is {trick.options[key]}"
        has_log = bool(seen.history.texts) or seen.has(["seconds"])  # else log.csv is lost
        says_nothing = has_log and name not in seen.history.texts and seen.share > 0.2
        numbers = any(column.startswith(f"{name}.") for column in seen.history.numbers)
        return "never said that it did something" if says_nothing and not numbers else ""
