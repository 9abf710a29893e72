"""A comparison's four forms: tables in the terminal, files of numbers, a page, a picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from gankit.settings import Run
from gankit_race.results import Row, Table, tables, write_results
from gankit_race.words import as_rows, heading, notes

COLUMNS = ("variant", "mean", "difference", "95 % interval", "verdict")
COLOURS = {"better": "green", "worse": "red"}
WIDTH = 110  # of lines that go into a file or a pipe


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

    def write(self) -> None:
        """results.json, results.csv, race.html and race.png."""
        from gankit_race.page import write_page
        from gankit_race.picture import write_picture

        write_results(self.folder, self.rows, self.tables, self.notes)
        write_picture(self, self.folder / "race.png")
        write_page(self, self.folder / "race.html")

    def print(self, console: Console | None = None) -> None:
        """Tables and notes, then where the rest lies."""
        console = console or (Console() if sys.stdout.isatty() else Console(width=WIDTH))
        for table in self.tables:
            console.print(Text(heading(table), style="bold"))
            console.print(_rich(table))
        for note in self.notes:
            console.print(Text(f"- {note}"))
        console.print(Text(f"page:     {self.folder / 'race.html'}"), soft_wrap=True)
        console.print(Text(f"pictures: {self.folder / 'race.png'}"), soft_wrap=True)


def _rich(table: Table) -> RichTable:
    shown = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        right = column in ("mean", "difference")
        shown.add_column(column, justify="right" if right else "left", overflow="fold")
    for variant, mean, difference, interval, verdict in as_rows(table):
        said = Text(verdict, style=COLOURS.get(verdict, "dim"))
        shown.add_row(Text(variant), mean, difference, interval, said)
    return shown
