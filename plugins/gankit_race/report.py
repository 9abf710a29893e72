"""Report: what a race or a comparison has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gankit.core.settings import Run
from gankit_race.notes import notes
from gankit_race.results import Row, Table, tables


@dataclass
class Report:
    """What a race or a comparison has to say."""

    title: str
    command: str  # that repeats it
    variants: Sequence[tuple[str, Run]]  # the first is the baseline
    rows: Sequence[Row]
    seeds: int
    folder: Path  # where it is written; the rows' folders are inside
    warnings: Sequence[str] = ()  # of what makes the comparison unfair

    @property
    def tables(self) -> list[Table]:
        return tables([label for label, _ in self.variants], self.rows)

    @property
    def notes(self) -> list[str]:
        return [*self.warnings, *notes(self.variants, self.rows, self.tables, self.seeds)]

    def run_folder(self, row: Row) -> Path:
        return self.folder / row.folder
