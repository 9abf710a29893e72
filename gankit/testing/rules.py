"""Checks of a rule: it is silent where all is well, and fires where something is wrong."""

from __future__ import annotations

import csv
import dataclasses
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.core.contracts.rule import ENTER, WINDOW, Finding, Rule, require_finding, require_rule
from gankit.core.contracts.seen import History, Seen
from gankit.core.run.settings import Run, command_line
from gankit.testing.harness import Harness, open_harness

if TYPE_CHECKING:
    from gankit.training.settings.compose import Part

STEPS = 480  # of the healthy run
HEALTHY_LOG = Path(__file__).with_name("healthy_log.csv")  # of a run of the default loss
NOISE = 0.1  # standard deviation, as a share of each number
Log = Mapping[str, Sequence[Any]]  # columns of log.csv, as gankit.runs.log.read_log returns them


def check_rule(
    part: Part[Rule],
    *,
    fires_on: Log | None,
    plugin: object | None = None,
    **settings: Any,
) -> None:
    """It is silent on a healthy log and on noise, fires on the log `fires_on`, and can be repeated.

    `settings`: of the run whose log that is, as for `gankit.compose`. Give `fires_on=None` if there
    is no such log yet; then nothing shows that the rule ever fires.
    """
    with open_harness("rule", part, plugin, {}) as harness:
        harness.check_all(check_attributes, check_silent_on_healthy, check_silent_on_noise)
        if fires_on is not None:
            harness.check(check_fires, fires_on, settings)


def healthy_log() -> dict[str, list[float]]:
    """The columns of the log of a healthy run; cells that are empty there are NaN."""
    with HEALTHY_LOG.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name] or "nan") for row in rows] for name in rows[0]}


def check_attributes(harness: Harness) -> None:
    """it is a gankit.Rule with valid attributes"""
    require_rule(harness.make_instance(Rule))


def check_silent_on_healthy(harness: Harness) -> None:
    """it is silent on the log of a healthy run"""
    _require_silent(harness, healthy_log(), "the log of a healthy run")


def check_silent_on_noise(harness: Harness) -> None:
    """it is silent on a healthy log with noise on every number"""
    log = healthy_log()
    draw = random.Random(0)
    count = len(log["step"])
    noise = {name: list(values) for name, values in log.items()}
    for name in noise:
        if name != "step":
            noise[name] = [noise[name][i] * draw.gauss(1, NOISE) for i in range(count)]
    _require_silent(harness, noise, "the log of a healthy run with noise on every number")


def check_fires(harness: Harness, log: Log, settings: Mapping[str, Any]) -> None:
    """it fires on the log of a run in which that is wrong, and says the same each time"""
    run = _run(harness, int(log["step"][-1]), **{"batch_size": 32, **settings})
    findings = _findings(harness.make(), run, log)
    if not _is_found(harness.make(), findings):
        count = sum(finding is not None and finding.level == ENTER for finding in findings)
        needed = harness.make().patience
        raise ValueError(
            f"finds {count} of {len(findings)} looks of `fires_on` beyond its threshold; "
            f"{needed} of {WINDOW} in a row are needed"
        )
    if findings != _findings(harness.make(), run, log):
        raise ValueError("says something else when it is asked again")
    for finding in filter(None, findings):
        _require_valid(finding, run)


def _require_valid(finding: Finding, run: Run) -> None:
    for name in ("text", "cure"):
        text = getattr(finding, name)
        if not text.strip() or "\n" in text:
            raise ValueError(f"returns the {name} {text!r}; expected one line")
    if not finding.evidence:
        raise ValueError("returns no evidence: name the columns of the log, and their values")
    command_line(dataclasses.replace(run, **finding.options))


def _require_silent(harness: Harness, log: Log, what: str) -> None:
    rule = harness.make()
    findings = _findings(rule, _run(harness, STEPS), log)
    if _is_found(rule, findings):
        texts = [finding.text for finding in findings if finding and finding.level == ENTER]
        raise ValueError(f"fires on {what}: {texts[0]}")


def _run(harness: Harness, steps: int, **settings: Any) -> Run:
    tricks = settings.pop("tricks", ())
    tricks = (tricks,) if isinstance(tricks, str) else tricks
    return dataclasses.replace(harness.run(*tricks, **settings), steps=steps)


def _findings(rule: Rule, run: Run, log: Log) -> list[Finding | None]:
    """What the rule says at each look, after its warm-up and if its columns are there."""
    history = History.of(log)
    findings: list[Finding | None] = []
    for step in history.looks:
        seen = Seen(run, history, step)
        if seen.share < rule.warm_up or not seen.has(rule.needs):
            continue
        findings.append(require_finding(rule.look(seen), run))
    return findings


def _is_found(rule: Rule, findings: Sequence[Finding | None]) -> bool:
    """Whether enough looks of any five are beyond the threshold."""
    entered = [finding is not None and finding.level == ENTER for finding in findings]
    windows = [entered[start : start + WINDOW] for start in range(len(entered))]
    return any(sum(window) >= rule.patience for window in windows)
