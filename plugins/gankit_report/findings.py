"""The doctor's findings as stretches of a run: each has a beginning, and an end or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gankit_doctor.look.columns import format_value, meaning_of

from gankit_report.draw import x_axis
from gankit_report.verdict import Verdict, is_alarm

MIN_WIDTH = 3.0  # px, so that a short finding is seen


@dataclass(frozen=True)
class Stretch:
    """A finding, from a step to another."""

    name: str
    tone: str  # CSS class: bad for an alarm, note for a note
    kind: str  # "alarm" or "note"
    since: int
    until: int  # the last step of the run if it did not end
    is_open: bool
    text: str
    cure: str
    command: str
    evidence: list[tuple[str, str, str]]  # column, value and meaning
    x: float  # of its beginning on a chart, in px
    width: float


def stretches(verdict: Verdict, run_end: int, last_step: int) -> list[Stretch]:
    """The findings of a verdict, the most important one first.

    `run_end` is the last step of the run, and `last_step` the last one on the axis of steps.
    """
    axis = x_axis(last_step)
    drawn = []
    for finding in verdict.findings:
        until = run_end if finding["until"] is None else finding["until"]
        x = axis.px(finding["since"])
        drawn.append(
            Stretch(
                name=finding["name"],
                tone="bad" if is_alarm(finding) else "note",
                kind="alarm" if is_alarm(finding) else "note",
                since=finding["since"],
                until=until,
                is_open=finding["until"] is None,
                text=finding["text"],
                cure=finding["cure"],
                command=finding["command"],
                evidence=_evidence(finding.get("evidence", {})),
                x=x,
                width=round(max(MIN_WIDTH, axis.px(until) - x), 1),
            )
        )
    return drawn


def _evidence(evidence: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (name, format_value(value), meaning_of(name))
        for name, value in evidence.items()
        if isinstance(value, int | float | str)
    ]
