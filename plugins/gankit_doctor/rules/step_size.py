"""step-size: an update changes the weights by far too much, or hardly at all."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen, median
from gankit.core.run.settings import Run
from gankit_doctor.cures import MILD_RATE, scale_rate

NAMES = {"d": "D", "g": "G"}
USUAL = (5e-5, 1e-3)  # learning rates


class StepSize(Rule):
    """The change of the weights in a step, as a share of their size: a median over the layers."""

    needs = ("doctor.step_d", "doctor.step_g")
    warm_up = 0.05
    is_always_alarm = True
    causes = (
        "vanishing-gradient", "d-dominates", "d-too-weak", "mode-collapse", "missing-modes",
        "oscillation", "colour-shift", "checkerboard", "unbounded-critic", "stalled", "dead-units",
    )  # fmt: skip
    judges_pictures = False
    why_wrong = "With --trick lr-decay, steps shrink on purpose; only the largest ones count here."

    def __init__(
        self, high: float = 0.12, low: float = 3e-4, rate: float = 0.02, target: float = 0.01
    ) -> None:
        self.high = high
        self.low = low
        self.rate = rate  # beyond it, Adam moves each weight by more than it is at the start
        self.target = target  # of the cure

    def look(self, seen: Seen) -> Finding | None:
        for player in ("d", "g"):
            rate = getattr(seen.run, f"lr_{player}")
            sizes = seen.look_in_stage(f"step_{player}")
            recent = sizes.last(3)
            largest = max(recent, median(sizes.values))
            if recent > self.high / 2 or (rate > self.rate and recent >= 0):  # not NaN
                return self._finding(seen, player, max(recent, sizes.first()), is_long=True)
            if largest < 2 * self.low and rate < 5e-5:
                return self._finding(seen, player, largest, is_long=False)
        return None

    def _finding(self, seen: Seen, player: str, size: float, *, is_long: bool) -> Finding:
        rate = getattr(seen.run, f"lr_{player}")
        is_beyond = size > self.high or rate > self.rate if is_long else size < self.low
        players = [p for p in ("d", "g") if getattr(seen.run, f"lr_{p}") == rate]
        factor = min(MILD_RATE / max(rate, 1e-12), max(self.target / max(size, 1e-12), 1e-3))
        other = _usual_rate_of_other(seen.run, player)
        if is_long:
            factor = min(factor, 0.5)
        elif other:
            factor = other / max(rate, 1e-12)
        what = "changes its weights by" if is_long else "changes its weights only by"
        name = NAMES[player]
        whose = "both learning rates" if len(players) > 1 else f"the learning rate of {name}"
        return Finding(
            level="enter" if is_beyond else STAY,
            is_certain=rate > self.rate,
            setting=f"--lr-{player} is {rate:g}",
            text=f"Each update of {name} {what} {100 * size:.2g} % of their size; about "
            f"{100 * self.target:.0f} % is usual.",
            evidence={f"doctor.step_{player}": size, f"lr_{player}": rate},
            cure=f"{'Lower' if is_long else 'Raise'} {whose}.",
            options=scale_rate(seen.run, factor, *players),
        )


def _usual_rate_of_other(run: Run, player: str) -> float:
    """The learning rate of the other player, so that neither is ahead; 0 if it is not a usual one.

    With several updates of D in each step, that is more than its rate says; then 0, too.
    """
    rate = run.lr_g if player == "d" else run.lr_d
    return rate if USUAL[0] <= rate <= USUAL[1] and run.d_steps == 1 else 0.0
