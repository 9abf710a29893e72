"""unbounded-critic: nothing bounds D's answers, and they grow and grow."""

from __future__ import annotations

from gankit.core.contracts.rule import Finding, Rule, level_of
from gankit.core.contracts.seen import Seen
from gankit.core.parts.choice import Choice
from gankit_doctor.signs import is_bounded


class UnboundedCritic(Rule):
    """With a loss that has no optimum, D's mean answer has become large."""

    needs = ("doctor.logit",)
    causes = ("vanishing-gradient", "d-dominates", "mode-collapse", "missing-modes", "oscillation",
              "colour-shift", "checkerboard", "stalled", "d-too-weak")  # fmt: skip
    why_wrong = "A bound inside the network of D itself is not seen."

    def __init__(self, size: float = 2.0) -> None:
        self.size = size  # of an answer; a new D's answers are below 1

    def look(self, seen: Seen) -> Finding | None:
        answers = seen.look("logit")
        if seen.run.loss.name != "wasserstein" or is_bounded(seen.run) or len(answers) < 4:
            return None
        recent = answers.last(3)
        level = level_of(recent, self.size, self.size / 2)
        if level is None:
            return None
        return Finding(
            level=level,
            setting="--loss wasserstein has no bound",
            text=f"Nothing keeps D's answers small in this run: their mean size is {recent:.3g}; "
            "those of a new D are below 1.",
            evidence={"doctor.logit": recent, "d_loss": seen.series("d_loss").last(8)},
            cure="Take a loss whose answers need not grow: --loss hinge. Or bound D, with "
            "--trick wgan-gp --beta1 0 --d-steps 2: each step then takes more than twice as long.",
            options={"loss": Choice("hinge")},
        )
