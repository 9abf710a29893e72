"""colour-shift: G's colours or contrast are not those of the pictures."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import without_colours
from gankit_doctor.signs import hides_colours, long_momentum

WHAT = {  # column -> what is wrong if it is the worst
    "contrast": "their contrast is too high",
    "chroma": "they are too colourful",
    "clipped": "too many values are plain black or white",
    "shift": "their mean colour is off",
}


class ColourShift(Rule):
    """The mean colour, the contrast or the share of pure black and white is off, and stays so."""

    needs = ("doctor.shift", "doctor.contrast", "doctor.clipped")
    warm_up = 0.3
    causes = ("oscillation", "missing-modes", "stalled")
    why_wrong = "Colours of 32 pictures vary by chance; in a short run they need time to settle."

    def __init__(
        self,
        shift: float = 1.3,
        contrast: float = 0.8,
        clipped: float = 0.12,
        varied: float = 0.55,
        hidden: float = 0.4,
        fades: float = 0.5,
    ) -> None:
        self.shift = shift  # standard deviations between real pictures
        self.contrast = contrast  # octaves above that of real pictures; a young G is pale
        self.clipped = clipped  # share of values, beyond that of real pictures
        self.hidden = hidden  # share of each, where a trick hides true colours from D
        self.fades = fades  # share of the largest, below which D puts it right, if it sees it
        self.varied = varied  # diversity from which on G draws more than one grey picture

    def look(self, seen: Seen) -> Finding | None:
        values = {
            "contrast": (seen.last("contrast", 5), self.contrast),
            "chroma": (seen.last("chroma", 5), self.contrast),
            "clipped": (seen.last("clipped", 5), self.clipped),
        }
        if seen.last("diversity", 5) > self.varied:
            values["shift"] = (seen.last("shift", 5), self.shift)
        worst = max(values, key=lambda name: values[name][0] / values[name][1])
        share = values[worst][0] / values[worst][1]
        hidden = hides_colours(seen)
        if hidden:
            share /= self.hidden
        only_follows = bool(long_momentum(seen)) or seen.left(worst) < self.fades
        if share < 0.6 or (only_follows and not hidden):
            return None
        run = seen.run
        cure, options = without_colours(run)
        return Finding(
            level="enter" if share > 1 else STAY,
            setting=hidden,
            text=f"G's pictures differ in colour from real ones: {WHAT[worst]}.",
            evidence={f"doctor.{name}": value for name, (value, _) in values.items()},
            cure=f"{cure}, and lower G's learning rate." if cure else "Lower G's learning rate.",
            options={**options, "lr_g": min(run.lr_g / 4, 2e-4)},
        )
