"""`gankit doctor RUN`: what goes wrong in a run, the evidence, and the cure."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.progress import progress_bar
from gankit.core.printable import printable
from gankit.training.run_folder.find_run import find_run
from gankit_doctor.engine import ALARM, NOTE
from gankit_doctor.look.columns import format_value, meaning_of

if TYPE_CHECKING:
    from gankit_doctor.diagnosis import Diagnosis, Report

MAX_WIDTH = 92


@click.command()
@click.argument("run", type=Path)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--deep", is_flag=True, help="Also train copies of both networks, and measure; takes minutes."
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME:OPTION=VALUE",
    help="Give a rule other thresholds; repeatable. gankit show NAME lists them.",
)
@click.pass_context
def doctor(
    ctx: click.Context, run: Path, as_json: bool, deep: bool, rules: tuple[str, ...]
) -> None:
    """Say what goes wrong in the run in folder RUN, and how to cure it."""
    from gankit_doctor.examination import examine  # imports torch

    run = find_run(run)
    with show_log(), progress_bar("training copies") as progress:
        diagnosis = examine(run, deep=deep, registry=ctx.obj, progress=progress, rules=rules)
    if as_json:
        click.echo(diagnosis.to_json())
        return
    for line in describe(diagnosis):
        click.echo(printable(line))


def describe(diagnosis: Diagnosis) -> list[str]:
    """The diagnosis as lines for a person: causes first, then what follows from them."""
    lines = [f"{diagnosis.verdict} (at step {diagnosis.step:,})"]
    if diagnosis.verdict not in {report.name for report in diagnosis.findings}:
        lines += _wrap(diagnosis.text)
    elif all(report.kind == NOTE for report in diagnosis.findings):
        lines += _wrap(_about_notes(diagnosis))
    for number, report in enumerate(diagnosis.findings, start=1):
        lines += ["", *describe_finding(number, report, looked_now=diagnosis.looked_now)]
    if diagnosis.measures:
        lines += ["", "Measured with --deep:"]
        for name, value in diagnosis.measures.items():
            lines += _wrap_evidence(name, value)
    if diagnosis.unasked:
        lines += ["", *_wrap("Not asked, because log.csv lacks their columns:", indent=0)]
        for name, columns in diagnosis.unasked.items():
            lines += _wrap(f"{name} ({', '.join(columns)})")
    return lines


def _about_notes(diagnosis: Diagnosis) -> str:
    """Whether the notes of a run without an alarm need a cure."""
    if diagnosis.gets_better:
        return "There is no alarm, and notes need no cure as long as pictures get better."
    return "There is no alarm, but the pictures do not get better: try what would help."


def describe_finding(number: int, report: Report, *, looked_now: bool = False) -> list[str]:
    """A finding as lines for a person; of a consequence, only what it is.

    `looked_now`: its numbers are not in log.csv, because they were measured just now.
    """
    end = "" if report.until is None else f" until step {report.until:,}"
    lines = [f"{number}. {report.name} ({report.kind}), since step {report.since:,}{end}"]
    lines += _wrap(report.text)
    if report.because:
        return [*lines, *_wrap(f"Cure {report.because} first.")]
    where = "measured now: log.csv has no looks" if looked_now else "of the last looks, in log.csv"
    lines += _wrap(f"Evidence ({where}):")
    for name, value in report.evidence.items():
        lines += _wrap_evidence(name, value)
    label = "Cure" if report.kind == ALARM else "What would help"
    label = "What would have helped" if report.until is not None else label
    lines += _wrap(f"{label}: {report.cure}")
    if report.command:
        lines.append(f"   {report.command}")
    if report.why_wrong:
        lines += _wrap(f"This may be wrong: {report.why_wrong}")
    lesson = f", gankit lesson {report.lesson}" if report.lesson else ""
    lines += _wrap(f"Read more: gankit show {report.name}{lesson}")
    return [*lines, *_wrap(f"Source: {report.source}")]


def _wrap_evidence(name: str, value: float | str) -> list[str]:
    """`doctor.auc 1: how often D ...`, further indented than other lines."""
    meaning = meaning_of(name)
    text = f"{name} {format_value(value)}" + (f": {meaning}" if meaning else "")
    return _wrap(text, indent=5, more=2)


def _wrap(text: str, indent: int = 3, more: int = 0) -> list[str]:
    """Lines of the text that fit into the terminal; the later ones are indented by `more`."""
    return textwrap.wrap(
        text,
        min(shutil.get_terminal_size((MAX_WIDTH, 24)).columns, MAX_WIDTH),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + more),
        break_long_words=False,
        break_on_hyphens=False,
    )
