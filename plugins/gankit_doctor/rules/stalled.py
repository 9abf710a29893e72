"""stalled: the pictures get no better any more."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen, median
from gankit.core.run.all_stages import count_pictures
from gankit_doctor.cures import Options, add_tricks
from gankit_doctor.signs import STILL, is_frozen


class Stalled(Rule):
    """The distance to real pictures has not fallen in the last third of the run so far."""

    needs = ("doctor.far", "doctor.texture")
    warm_up = 0.3
    why_wrong = "Pictures may get better in ways that small numbers do not see: look at the grids."

    def __init__(
        self, gain: float = 0.03, bad: float = 0.85, still: float = STILL, kimg: float = 400.0
    ) -> None:
        self.gain = gain
        self.bad = bad  # share of the largest distance to real pictures so far: nothing was learnt
        self.still = still  # change between looks, below which the pictures are frozen
        self.kimg = kimg  # thousands of pictures shown, before which KID still falls

    def look(self, seen: Seen) -> Finding | None:
        quality = seen.quality
        if seen.is_bad(self.bad) and seen.last("turnover", 5) < self.still:
            return self._finding(seen, "G's pictures do not change at all.", 0.0, is_note=False)
        if len(quality) < 9:
            return None
        third = len(quality) // 3
        recent = median(quality.values[-third:])
        earlier = median(quality.values[-2 * third : -third])
        gain = (earlier - recent) / max(earlier, 1e-6)
        if gain > 2 * self.gain:
            return None
        if seen.is_bad(self.bad):
            what = "The pictures are nothing like real ones, and stay so."
            return self._finding(seen, what, gain, is_note=False)
        if count_pictures(seen.run, seen.step) < 1000 * self.kimg:
            return None
        what = "The pictures get no better any more: more steps change nothing. Stop here."
        return self._finding(seen, what, gain, is_note=True)

    def _finding(self, seen: Seen, text: str, gain: float, *, is_note: bool) -> Finding:
        cure = "Stop here; for better pictures, use a wider network or another recipe."
        options: Options = {}
        if is_frozen(seen):
            cure = "Let the average of G's weights follow faster: --trick ema:decay=0.99."
            options = add_tricks(seen.run, "ema:decay=0.99")
        return Finding(
            level="enter" if gain < self.gain or not is_note else STAY,
            is_note=is_note,
            setting=f"--trick {seen.trick('ema')}" if is_frozen(seen) else "",
            text=text,
            evidence={
                "doctor.far": seen.last("far", 3),
                "doctor.texture": seen.last("texture", 3),
                "doctor.turnover": seen.last("turnover", 5),
            },
            cure=cure,
            options=options,
        )
