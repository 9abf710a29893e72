"""checkerboard: a regular pattern of pixels lies over G's pictures."""

from __future__ import annotations

from gankit.core.contracts.rule import Finding, Rule, level_of
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import MILD_RATE, even_generator, slower_g
from gankit_doctor.signs import draws_patterns


class Checkerboard(Rule):
    """The power of what repeats each two or four pixels, beyond that of real pictures."""

    needs = ("doctor.pattern_2", "doctor.pattern_4")
    warm_up = 0.25
    causes = ("oscillation", "missing-modes", "stalled")
    why_wrong = "Pictures of real patterns, such as cloth, can hide or look like this one."

    def __init__(self, high: float = 0.2, low: float = 0.1, fades: float = 0.25) -> None:
        self.high = high  # power of both patterns, as a share of all power of real pictures
        self.low = low
        self.fades = fades  # share of the largest power, below which it goes away by itself

    def look(self, seen: Seen) -> Finding | None:
        patterns = {name: seen.last(name, 5) for name in ("pattern_2", "pattern_4")}
        worst = max(patterns, key=lambda name: patterns[name])
        power = sum(max(value, 0.0) for value in patterns.values())
        run = seen.run
        even = even_generator(run, at_least=24)
        setting = draws_patterns(run)
        least = 0.5 if setting else 1.0  # then half of each threshold is enough
        level = level_of(power, least * self.high, least * self.low)
        if level is None or seen.left(worst) < least * self.fades:
            return None
        return Finding(
            level=level,
            setting=setting,
            text=f"A pattern that repeats every {worst[-1]} pixels lies over G's pictures; such "
            f"patterns have {100 * power:.0f} % of the power of real pictures.",
            evidence={f"doctor.{name}": value for name, value in patterns.items()},
            cure="Use a G whose kernels overlap evenly, such as --generator dcgan-skip, and a "
            "lower learning rate for G."
            if even
            else "Lower the learning rate of G.",
            options={**slower_g(run, MILD_RATE), "beta1": min(run.beta1, 0.5), **even},
        )
