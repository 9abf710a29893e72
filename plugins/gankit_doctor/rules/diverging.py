"""diverging: numbers grow without end, until they are not finite."""

from __future__ import annotations

import dataclasses

from gankit.core.contracts.rule import Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import add_tricks, lower_rates
from gankit_doctor.signs import is_bounded


class Diverging(Rule):
    """The run failed with a number that is not finite, or the losses or gradients explode."""

    warm_up = 0.0
    patience = 1
    is_always_alarm = True
    causes = (
        "step-size", "unbounded-critic", "dead-units", "vanishing-gradient", "d-dominates",
        "d-too-weak", "mode-collapse", "missing-modes", "oscillation", "colour-shift",
        "checkerboard", "penalty-too-strong", "stalled", "idle-trick",
    )  # fmt: skip
    judges_pictures = False
    why_wrong = "One bad batch can make a single high gradient; the losses then come back at once."

    def __init__(self, growth: float = 300.0, gradient: float = 1e5, loss: float = 1e6) -> None:
        self.growth = growth  # times the median of the first looks
        self.gradient = gradient  # a norm
        self.loss = loss

    def look(self, seen: Seen) -> Finding | None:
        evidence: dict[str, float | str] = {}
        if seen.failure:
            evidence["failure"] = seen.failure
        for player in ("d", "g"):
            norms = seen.look(f"grad_{player}")
            high = norms.last(3)
            if len(norms) >= 3 and high > max(self.gradient, self.growth * norms.first(3)):
                evidence[f"doctor.grad_{player}"] = high
            losses = seen.series(f"{player}_loss")
            if len(losses) >= 2 and abs(losses.last(3)) > self.loss:
                evidence[f"{player}_loss"] = losses.last(3)
        if not evidence:
            return None
        run = seen.run
        cure, options = lower_rates(run)
        if run.loss.name == "wasserstein" and not is_bounded(run):
            cure = f"{cure[:-1]}, and bound D: --trick wgan-gp."
            options |= add_tricks(dataclasses.replace(run, **options), "wgan-gp")
        if run.precision == "16":
            cure += " And use --precision bf16: float16 ends at 65,504."
            options["precision"] = "bf16"
        return Finding(
            text="The numbers of the training grow without end, so it cannot recover.",
            evidence=evidence,
            setting=f"--lr-g is {run.lr_g:g}, and --lr-d is {run.lr_d:g}",
            cure=cure,
            options=options,
        )
