"""How a try to heal a patient is graded: by what the cured run does, not by what was typed.

A cure is right if the finding is gone and the pictures are better, after as many updates of G and D
together, with the same pictures and the same seed. Whether the name was right is graded apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

METRIC = "swd"  # no rule of the doctor uses it, and it needs no package
SAMPLES = 300
BETTER = 0.8  # of the patient's distance: by more than two seeds of a healthy run differ

HEALED = "healed"
STILL_ILL = "still-ill"
NO_BETTER = "no-better"
UNCHANGED = "unchanged"
FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Grade:
    """One try: what was typed, and what became of the run."""

    name: str  # of the finding, as typed
    cure: str  # as typed
    command: str  # the whole command of the cured run
    folder: str  # of the cured run, in the patient's folder
    is_named: bool  # the name is right
    is_gone: bool  # none of the right names is a finding of the cured run at its end
    is_better: bool
    before: float | None  # distance of the patient's pictures from real ones; None: not measured
    after: float | None  # the same for the cured run
    findings: list[str] = field(default_factory=list)  # open ones of the cured run
    failure: str = ""  # why the cured run failed

    @property
    def is_healed(self) -> bool:
        return self.is_gone and self.is_better

    @property
    def kind(self) -> str:
        """The grade of the cure in a word."""
        if self.failure:
            return FAILED
        if self.is_better:
            return HEALED if self.is_gone else STILL_ILL
        return NO_BETTER if self.is_gone else UNCHANGED


def is_better(before: float | None, after: float | None) -> bool:
    """Whether a distance is clearly smaller; also if there was none before."""
    if after is None:
        return False
    return before is None or after < BETTER * before


def explain(grade: Grade, right_names: tuple[str, ...]) -> list[str]:
    """The grade in plain sentences, without the right name if it was not typed."""
    lines = [f"name: {grade.name} is {'right' if grade.is_named else 'not what is wrong here'}"]
    others = [name for name in grade.findings if name not in right_names]
    if grade.failure:
        return [*lines, f"cure: the cured run failed: {grade.failure}"]
    distances = f"{METRIC} {_number(grade.before)} before, {_number(grade.after)} after"
    sentences = {
        HEALED: "it heals: the finding is gone, and the pictures are better",
        STILL_ILL: "the pictures are better, but the finding is still there",
        NO_BETTER: "the finding is gone, but the pictures are not better: the run only hides it",
        UNCHANGED: "the finding is still there, and the pictures are not better",
    }
    lines.append(f"cure: {sentences[grade.kind]} ({distances}; lower is better)")
    if others:
        lines.append(f"      the doctor now sees: {', '.join(others)}")
    if grade.is_healed and not grade.is_named:
        lines.append("      so you cured it without the right name: look at the numbers again")
    return lines


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
