"""memorisation: G copies single training pictures."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import few_pictures_cure, for_few_pictures


class Memorisation(Rule):
    """The share of G's pictures that are far closer to one training picture than to the others."""

    needs = ("doctor.copies",)
    warm_up = 0.2
    is_always_alarm = True
    causes = ("missing-modes",)
    why_wrong = "A data set with single odd pictures far from all others can look like this."

    def __init__(self, high: float = 0.2, low: float = 0.1, memorising: float = 0.55) -> None:
        self.high = high  # share of the pictures, beyond that of held-out ones
        self.low = low
        self.memorising = memorising  # the lower end of the metric, with --deep

    def look(self, seen: Seen) -> Finding | None:
        copies = seen.last("copies", 3)
        floor = seen.last("copies_floor") if seen.has(["doctor.copies_floor"]) else 0.0
        evidence = {"doctor.copies": copies, "doctor.copies_floor": floor}
        is_measured = seen.series("deep.memorising").last() > self.memorising
        if is_measured:
            evidence["deep.memorising"] = seen.series("deep.memorising").last()
        if copies - floor < self.low and not is_measured:
            return None
        return Finding(
            level="enter" if copies - floor > self.high or is_measured else STAY,
            text=f"{100 * copies:.0f} % of G's pictures are nearly copies of a training picture; "
            f"of new real pictures, {100 * floor:.0f} % are.",
            evidence=evidence,
            is_certain=is_measured,
            cure=few_pictures_cure(seen.run),
            options=for_few_pictures(seen.run),
        )
