"""A report's four forms: tables in the terminal, files of numbers, a page, a picture."""

from __future__ import annotations

import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from gankit_race.format import as_rows, heading
from gankit_race.page import write_page
from gankit_race.picture import write_picture
from gankit_race.report import Report
from gankit_race.results import Table, write_results

COLUMNS = ("variant", "mean", "difference", "95 % interval", "verdict")
COLOURS = {"better": "green", "worse": "red"}
WIDTH = 110  # of lines that go into a file or a pipe


def write(report: Report) -> None:
    """results.json, results.csv, race.html and race.png, in the report's folder."""
    write_results(report.folder, report.rows, report.tables, report.notes)
    write_picture(report, report.folder / "race.png")
    write_page(report, report.folder / "race.html")


def show(report: Report, console: Console | None = None) -> None:
    """Print tables and notes, then where the rest lies."""
    console = console or (Console() if sys.stdout.isatty() else Console(width=WIDTH))
    for table in report.tables:
        console.print(Text(heading(table), style="bold"))
        console.print(_rich(table))
    for note in report.notes:
        console.print(Text(f"- {note}"))
    console.print(Text(f"page:     {report.folder / 'race.html'}"), soft_wrap=True)
    console.print(Text(f"pictures: {report.folder / 'race.png'}"), soft_wrap=True)


def _rich(table: Table) -> RichTable:
    shown = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        justify: JustifyMethod = "right" if column in ("mean", "difference") else "left"
        shown.add_column(column, justify=justify, overflow="fold")
    for variant, mean, difference, interval, verdict in as_rows(table):
        coloured = Text(verdict, style=COLOURS.get(verdict, "dim"))
        shown.add_row(Text(variant), mean, difference, interval, coloured)
    return shown
