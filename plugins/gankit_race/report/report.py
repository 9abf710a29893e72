"""Report: everything that the outputs of a race or a comparison show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gankit.core.files.portable_path import resolve_path
from gankit.core.run.settings import Run
from gankit_race.report.notes import all_notes
from gankit_race.results import Row, Table, make_tables


@dataclass
class Report:
    """What a race or a comparison found; gankit_race.report.publish writes and prints it."""

    title: str
    command: str  # the command that repeats it
    variants: Sequence[tuple[str, Run]]  # labels and a run of each; the first is the baseline
    rows: Sequence[Row]
    seeds: int
    folder: Path  # where it is written
    warnings: Sequence[str] = ()  # about variants that are not comparable

    @property
    def tables(self) -> list[Table]:
        return make_tables([label for label, _ in self.variants], self.rows)

    @property
    def notes(self) -> list[str]:
        return [*self.warnings, *all_notes(self.variants, self.rows, self.tables, self.seeds)]

    def run_folder(self, row: Row) -> Path:
        """The folder of a run; `row.folder` is a path as seen from the report's folder."""
        return Path(resolve_path(row.folder, self.folder))
