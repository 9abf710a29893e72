"""The doctor's verdict on a run: from doctor.json, or by an examination if it is missing."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gankit_doctor.engine import ALARM, HEALTHY, NOTE, STOP_HERE, TOO_EARLY, is_young

from gankit.core.errors import GankitError, describe_error
from gankit.core.files.read_json import find_wrong_type, read_json_object
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run

log = logging.getLogger("gankit")
FILE = "doctor.json"  # as the doctor's observer writes it
UNKNOWN = "not examined"
_FINDING = {
    "name": str, "kind": str, "since": int, "until": int | None, "text": str, "cure": str,
    "command": str, "evidence": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """The verdict in a word and in a sentence, and the findings, the most important one first."""

    word: str  # the name of the first open finding; or healthy, too-early, stop-here, or UNKNOWN
    text: str
    findings: Sequence[Mapping[str, Any]] = ()  # entries as in _FINDING

    @property
    def tone(self) -> str:
        """CSS class: good, bad or note."""
        if self.word in (HEALTHY, STOP_HERE):
            return "good"
        alarms = [finding["name"] for finding in self.findings if is_alarm(finding)]
        return "bad" if self.word in alarms else "note"


def read_verdict(run: Run, registry: Registry | None, *, examine: bool) -> Verdict:
    """The verdict on the run in a folder; with `examine`, also if the folder has no doctor.json."""
    path = run.folder / FILE
    try:
        if path.exists():
            types = {"verdict": str, "text": str, "findings": list}
            return _take(read_json_object(path, "a diagnosis of gankit doctor", types))
    except GankitError as error:
        return Verdict(UNKNOWN, str(error))
    if is_young(run, run.steps):
        return Verdict(TOO_EARLY, f"This run of {run.steps:,} steps is too short for a verdict.")
    if not examine:
        return Verdict(UNKNOWN, "The doctor has not examined this run.")
    return _examine(run, registry)


def _take(record: Mapping[str, Any]) -> Verdict:
    """The verdict in the contents of a doctor.json. GankitError if an entry is missing or wrong."""
    for finding in record.get("findings", ()):
        wrong = find_wrong_type(finding, _FINDING)
        missing = [name for name in ("name", "kind", "since", "text") if name not in finding]
        if wrong or missing:
            raise GankitError(f"{FILE} has a finding of another kind: {wrong or missing[0]}")
    findings = [{"until": None, "cure": "", "command": "", **f} for f in record.get("findings", ())]
    return Verdict(str(record.get("verdict", UNKNOWN)), str(record.get("text", "")), findings)


def _examine(run: Run, registry: Registry | None) -> Verdict:
    from gankit_doctor.examination import examine  # imports torch

    log.info("the doctor has not examined %s yet: it looks at it now, for a minute", run.folder)
    try:
        diagnosis = examine(run, registry=registry)
    except Exception as error:  # of a rule or a part of a plugin, or of damaged networks
        why = describe_error(error)
        return Verdict(UNKNOWN, f"The doctor could not examine this run: {why}")
    return _take(dataclasses.asdict(diagnosis))


def is_alarm(finding: Mapping[str, Any]) -> bool:
    """Whether a finding is an alarm; else it is a note."""
    return str(finding.get("kind", NOTE)) == ALARM
