"""A report's outputs: tables in the terminal, files of numbers, a page, and a picture."""

from __future__ import annotations

import sys

from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from gankit.cli.terminal.live_terminal import is_terminal
from gankit.cli.terminal.rich_console import OutputConsole
from gankit.core.printable import printable
from gankit_race.report.format import table_cells, table_heading
from gankit_race.report.grids_picture import write_grids_picture
from gankit_race.report.page import write_page
from gankit_race.report.report import Report
from gankit_race.results import Table, write_results
from gankit_race.stats import BETTER, WORSE

COLUMNS = ("variant", "mean", "difference", "95 % interval", "verdict")
COLOURS = {BETTER: "green", WORSE: "red"}
WIDTH = 110  # of lines in a file or a pipe


def write_report(report: Report) -> None:
    """Write results.json, results.csv, race.html and race.png into the report's folder."""
    write_results(report.folder, report.rows, report.tables, report.notes)
    write_grids_picture(report, report.folder / "race.png")
    write_page(report, report.folder / "race.html")


def print_report(report: Report) -> None:
    """Print the tables and notes, and the paths of the page and the picture."""
    console = OutputConsole(width=None if is_terminal(sys.stdout) else WIDTH)
    for table in report.tables:
        console.print(Text(printable(table_heading(table)), style="bold"))
        console.print(_to_rich(table))
    for note in report.notes:
        console.print(Text(printable(f"- {note}")))
    console.print(Text(printable(f"page:     {report.folder / 'race.html'}")), soft_wrap=True)
    console.print(Text(printable(f"pictures: {report.folder / 'race.png'}")), soft_wrap=True)


def _to_rich(table: Table) -> RichTable:
    rich_table = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        justify: JustifyMethod = "right" if column in ("mean", "difference") else "left"
        rich_table.add_column(column, justify=justify, overflow="fold")
    for variant, mean, difference, interval, verdict in table_cells(table):
        coloured = Text(verdict, style=COLOURS.get(verdict, "dim"))
        rich_table.add_row(Text(printable(variant)), mean, difference, interval, coloured)
    return rich_table
