"""Watch: the doctor beside one run that trains. It looks, asks the rules, and tells what is new."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from torch import Tensor

from gankit.core.contracts.seen import History, Seen
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.retried_write import RetriedWrite
from gankit.core.parts.registry import Registry
from gankit.core.printable import printable
from gankit.core.run.settings import Run, command_about
from gankit_doctor.build_rules import build_rules
from gankit_doctor.diagnosis import Diagnosis, cure_of, diagnose
from gankit_doctor.engine import ALARM, TOO_EARLY, Episode, replay
from gankit_doctor.history import read_history
from gankit_doctor.look.columns import format_value
from gankit_doctor.look.look import Looker, look_interval

if TYPE_CHECKING:
    from gankit.core.contracts.prepared import PreparedDataset
    from gankit.core.gan import Gan
    from gankit.core.recorder import StepRecord

FILE = "doctor.json"  # in the run's folder
_NOT_FINITE = re.compile(r"\b(nan|-?inf|infinite|infinity|not finite)\b")


class Watch:
    """Looks at a run at each `interval` steps; keeps its history, and what was told."""

    def __init__(self, run: Run, gan: Gan, registry: Registry, prepared: PreparedDataset) -> None:
        self.run = run
        self.gan = gan
        self.registry = registry
        self.prepared = prepared
        self.prints = any(plugin.name == "console" for plugin in registry.plugins)  # no race
        self.interval = look_interval(run)
        self.looker: Looker | None = None  # made at the first look: a short run needs none
        self.writes = RetriedWrite(run.folder / FILE, "it is written at the next look")
        self.history = History()
        if gan.step:
            self.history = read_history(run, until=gan.step)
        self.engine = replay(run, self.history, build_rules(registry))

    def look(self, step: int, record: StepRecord) -> dict[str, float | Tensor]:
        """The numbers of a look, for the log."""
        if self.looker is None:
            self.looker = Looker(self.run, self.gan, self.prepared)
        return self.looker.look(step // self.interval, record)

    def step_done(self, step: int, scalars: dict[str, Any]) -> list[str]:
        """Add a row of the log; after a look, ask the rules. Returns a line for each new alarm."""
        self.history.add({**scalars["activity"], **scalars, **scalars["numbers"], "step": step})
        if not self.history.looks or self.history.looks[-1] != step:
            return []
        new = self.engine.add(Seen(self.run, self.history, step))
        self.write(self.diagnosis())
        return [self._describe(episode) for episode in new]

    def finish(self, outcome: dict[str, Any], *, is_quiet: bool) -> None:
        """Print the verdict on the run, unless it has none and no finding, or `is_quiet`."""
        failure = ""
        if outcome["state"] == "failed" and _NOT_FINITE.search(outcome["message"]):
            failure = outcome["message"]
            step = max([outcome["step"], *self.history.looks])
            self.engine.add(Seen(self.run, self.history, step, failure=failure))
        diagnosis = self.diagnosis(failure)
        if not (self.history.looks or failure):
            return
        self.write(diagnosis)
        has_news = diagnosis.verdict != TOO_EARLY or diagnosis.findings
        if self.prints and not is_quiet and has_news:
            for line in summarize(diagnosis, self.run):
                click.echo(printable(line))

    def diagnosis(self, failure: str = "") -> Diagnosis:
        """What the doctor says about the run so far."""
        return diagnose(self.engine, self.run, self.history, self.registry, failure)

    def write(self, diagnosis: Diagnosis) -> None:
        """Write doctor.json; if that fails, it is written at the next look."""
        with self.writes.attempt():
            write_atomically(self.run.folder / FILE, diagnosis.to_json() + "\n")

    def _describe(self, episode: Episode) -> str:
        """An alarm in one line: what, since when, the numbers, and where the cure is."""
        finding = episode.finding
        numbers = format_evidence(finding.evidence)
        where = command_about(self.run, "doctor", str(self.run.folder))
        cure, command = cure_of(episode, self.run)
        prints = "prints the command" if command else "says more"
        what = f"{episode.name} since step {episode.since:,}: {finding.text}"
        return f"{what} ({numbers}) Cure: {cure} {where} {prints}."


def format_evidence(evidence: Any) -> str:
    """`doctor.auc 1, doctor.far 0.53`."""
    return ", ".join(f"{name} {format_value(value)}" for name, value in evidence.items())


def summarize(diagnosis: Diagnosis, run: Run) -> list[str]:
    """The verdict on a run in one to three lines."""
    first = next(iter(diagnosis.findings), None)
    is_named = first is not None and first.name == diagnosis.verdict
    kind = f" ({first.kind})" if first and is_named else ""
    lines = [f"doctor:   {diagnosis.verdict}{kind}: {diagnosis.text}"]
    if first and is_named:
        label = "cure:" if first.kind == ALARM else "advice:"
        lines.append(f"{label:<10}{first.cure}")
    if diagnosis.findings:
        count = len(diagnosis.findings)
        findings = "1 finding" if count == 1 else f"{count} findings"
        lines.append(f"          {findings}: {command_about(run, 'doctor', str(run.folder))}")
    return lines
