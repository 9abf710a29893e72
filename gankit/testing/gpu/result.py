"""What a check has found, as a row of the table and as a line between two processes."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOUND = "gankit.testing.gpu found: "  # begins the line in which a check prints its rows

FINE = "fine"
FAULT = "fault"
MEASURED = "measured"  # a number without a limit
NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str  # was tried
    verdict: str  # FINE, FAULT, MEASURED or NOT_TRIED
    result: str  # in numbers
    picture: str = ""  # the path of a grid of samples

    @classmethod
    def judged(cls, what: str, is_fine: bool, result: str) -> Row:
        """A row for something that is either fine or a fault."""
        return cls(what, FINE if is_fine else FAULT, result)


def to_line(rows: Sequence[Row]) -> str:
    """The line that a check prints for the process that has started it."""
    return FOUND + json.dumps([asdict(row) for row in rows])


def from_output(output: str) -> list[Row] | None:
    """The rows in the output of a check; None if it ended before it had any."""
    lines = [line for line in output.splitlines() if line.startswith(FOUND)]
    if not lines:
        return None
    return [Row(**row) for row in json.loads(lines[-1].removeprefix(FOUND))]


def read_log(folder: Path) -> list[dict[str, str]]:
    """The rows of log.csv in the folder of a run that this check has trained itself."""
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
