"""unbounded-critic: nothing bounds D's answers, and they grow and grow."""

from __future__ import annotations

from gankit.core.rule import STAY, Finding, Rule
from gankit.core.seen import Seen
from gankit_doctor.cures import add_tricks, is_bounded


class UnboundedCritic(Rule):
    """With a loss that has no optimum, D's mean answer keeps growing."""

    needs = ("doctor.logit",)
    causes = ("vanishing-gradient", "d-dominates", "mode-collapse", "missing-modes", "oscillation",
              "colour-shift", "checkerboard", "stalled", "d-too-weak")  # fmt: skip
    why_wrong = "A bound inside the network of D itself is not seen."

    def __init__(self, growth: float = 3.0, size: float = 5.0) -> None:
        self.growth = growth  # times the first looks
        self.size = size  # of an answer

    def look(self, seen: Seen) -> Finding | None:
        answers = seen.look("logit")
        if seen.run.loss.name != "wasserstein" or is_bounded(seen.run) or len(answers) < 4:
            return None
        recent = answers.last(3)
        if recent < self.size / 2:
            return None
        grows = recent > self.growth * min(answers.values) or recent > 10 * self.size
        return Finding(
            level="enter" if recent > self.size and grows else STAY,
            text=f"D's answers grow without a bound: their mean size is {recent:.3g}, and nothing "
            "in this loss makes them stop.",
            evidence={"doctor.logit": recent, "d_loss": seen.series("d_loss").last(8)},
            cure="Bound D with --trick spectral-norm, or --trick wgan-gp.",
            options=add_tricks(seen.run, "wgan-gp"),
        )
