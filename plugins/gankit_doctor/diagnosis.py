"""Diagnosis: the verdict on a run and its findings, as data for people and programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gankit.core.contracts.seen import History, Seen
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run, command_line
from gankit_doctor import engine as engines
from gankit_doctor.engine import Engine, Episode

ANEW = "The command begins anew, with the settings of now and this cure."
CHANGED = "But settings were changed since it was last seen: train on first, and ask again."
NO_RESUME = "Begin anew with the settings of now: resuming may not mend what {} has left."
WITHOUT_STAGES: dict[str, Any] = {"stages": (), "earlier_plans": ()}


@dataclass(frozen=True)
class Report:
    """One finding, with all that a reader needs to believe it and to act."""

    name: str
    kind: str  # "alarm" or "note"
    since: int  # step
    until: int | None  # step; None while it lasts
    evidence: Mapping[str, float | str]  # column of log.csv, or another fact -> its value
    text: str
    cure: str
    command: str  # the run again, cured; empty if no option cures it
    source: str
    lesson: int | None
    why_wrong: str
    because: str  # the name of the finding of which this is a consequence; or empty


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says about a run."""

    verdict: str  # the name of the first open finding; or healthy, too-early or stop-here
    text: str  # the verdict as a sentence
    step: int  # of the last look
    findings: tuple[Report, ...]  # the most important one first
    unasked: Mapping[str, tuple[str, ...]]  # rules that could not be asked -> missing columns
    failure: str = ""  # why the run failed; empty if it did not
    measures: Mapping[str, float | str] = field(default_factory=dict)  # of --deep: name -> number
    gets_better: bool = True  # whether G's pictures did so in the last looks, or are good
    looked_now: bool = False  # the evidence was measured for this diagnosis, not read in log.csv

    def to_json(self) -> str:
        """The diagnosis as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False)


def diagnose(
    engine: Engine,
    run: Run,
    history: History,
    registry: Registry,
    failure: str = "",
    measures: Mapping[str, float] | None = None,
    *,
    looked_now: bool = False,
) -> Diagnosis:
    """What the engine found so far, with the settings of the last steps that were taken."""
    if history.last_row:  # a run that failed did so in the step after it
        run = run.at(history.last_row if failure else history.last_row - 1)
    reports = tuple(report(e, run, registry, history.end) for e in engine.ordered())
    verdict = engines.verdict(engine, run, history)
    return Diagnosis(
        verdict=verdict,
        text=_explain(verdict, reports, history),
        step=history.last_step,
        findings=reports,
        unasked={name: tuple(columns) for name, columns in engine.unasked.items()},
        failure=failure,
        measures={name: _rounded(value) for name, value in (measures or {}).items()},
        gets_better=Seen(run, history, history.last_step).progress,
        looked_now=looked_now,
    )


def report(episode: Episode, run: Run, registry: Registry, end: float) -> Report:
    """A finding with its source, its lesson and the command that cures it; `end`: of the run."""
    finding = episode.finding
    spec = registry.find("rule", episode.name)
    text = finding.text
    if finding.setting:
        text = f"{text} The setting behind it: {finding.setting}."
    if episode.because:
        text = f"{text} Probably because of {episode.because}."
    elif episode.left_by:
        text = f"{text} Probably left by {episode.left_by.name}, which ended at step "
        text += f"{episode.left_by.until:,}."
    cure, command = cure_of(episode, run)
    return Report(
        name=episode.name,
        kind=episode.kind,
        since=int(min(episode.since, end)),
        until=None if episode.until is None else int(min(episode.until, end)),
        evidence={name: _rounded(value) for name, value in finding.evidence.items()},
        text=text,
        cure=cure,
        command=command,
        source=spec.source,
        lesson=spec.lesson,
        why_wrong=episode.rule.why_wrong,
        because=episode.because,
    )


def cure_of(episode: Episode, run: Run) -> tuple[str, str]:
    """The cure of a finding in words, and as the command line of the run again, cured.

    The command is empty if no option cures it, or if settings were changed after it was last seen.
    """
    cure = episode.finding.cure
    if run.at(max(0, episode.last - 1)) is not run:
        return (cure if episode.until is not None else f"{cure} {CHANGED}"), ""
    if episode.left_by and not episode.because:
        again = dataclasses.replace(run, **WITHOUT_STAGES)
        return NO_RESUME.format(episode.left_by.name), command_line(again)
    command = cured_command(run, episode.finding.options)
    return (f"{cure} {ANEW}" if run.stages and command else cure), command


def cured_command(run: Run, options: Mapping[str, Any]) -> str:
    """The command line of the run with other settings; empty if nothing changes.

    A run with stages gets the settings of its last stage from the first step on: they are what the
    cure begins from, and what an earlier stage did wrong must not happen again.
    """
    again = dataclasses.replace(run, **WITHOUT_STAGES)
    cured = dataclasses.replace(again, **options)
    return "" if cured == again else command_line(cured)


def _rounded(value: float | str) -> float | str:
    """Four digits; NaN and infinity as texts, because JSON has neither."""
    if isinstance(value, str):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else str(value)


def _explain(verdict: str, reports: tuple[Report, ...], history: History) -> str:
    """The verdict as a sentence."""
    if verdict == engines.TOO_EARLY:
        if not history.looks:
            return "Nothing was looked at yet, so there is nothing to say: train longer."
        steps = history.last_step
        name = next((report.name for report in reports if report.until is None), "")
        if name:
            return f"It is too early to say more than {name} after {steps:,} steps: train longer."
        return f"It is too early to say after {steps:,} steps: train longer, then ask again."
    if verdict == engines.HEALTHY:
        return "Nothing is wrong: the pictures get better, or are good."
    first = next(report for report in reports if report.name in (verdict, "stalled"))
    return first.text
