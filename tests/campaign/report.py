"""Prints what the campaign found, and writes its table into docs/reliability.md."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from run import Result

BEGIN = "<!-- campaign: begin -->"
END = "<!-- campaign: end -->"


def show(result: Result, seed: int, kept: Path) -> None:
    """Print how many cases of a kind were tried, and each complaint with how to repeat it."""
    print(
        f"{result.kind.name}: {result.tried:,} tried, {result.wrong:,} not right, "
        f"{result.seconds:.0f} s; {_outcomes(result)}",
        flush=True,
    )
    for complaint, (count, number, _) in sorted(result.complaints.items(), key=_by_count):
        command = f"python tests/campaign/run.py {result.kind.name} --seed {seed} --only {number}"
        print(f"  {count} times: {complaint}\n    {command}", flush=True)
        folder = kept / f"{result.kind.name}-{number}"
        if folder.exists():
            print(f"    its files: {folder}", flush=True)


def _by_count(item: tuple[str, tuple[int, int, int]]) -> int:
    return -item[1][0]


def _outcomes(result: Result) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in result.outcomes.most_common())


def write(page: Path, results: Sequence[Result], seed: int) -> None:
    """Replace the table between the page's two marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        sys.exit(f"{page} lacks the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{table(results, seed)}\n{END}{after}", encoding="utf-8")


def table(results: Sequence[Result], seed: int) -> str:
    """The table in Markdown, with the date and the machine in general words."""
    python = ".".join(platform.python_version_tuple()[:2])
    version = ".".join(torch.__version__.split(".")[:2])
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {python}, torch {version}"
    minutes = sum(result.seconds for result in results) / 60
    date = datetime.datetime.now(datetime.UTC).date()
    lines = [
        f"Run on {date}, with seed {seed}, in {minutes:.0f} minutes on one core ({machine}).",
        "",
        "| kind | tried | not right | what happened | minutes |",
        "|---|---:|---:|---|---:|",
    ]
    for result in results:
        row = (result.kind.name, f"{result.tried:,}", f"{result.wrong:,}", _outcomes(result),
               f"{result.seconds / 60:.1f}")  # fmt: skip
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)
