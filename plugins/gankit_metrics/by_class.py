"""`gankit evaluate --each-class`: a number for each class, or why there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from gankit.cli.terminal.rich_console import OutputConsole
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.runs.find_class import find_class
from gankit_metrics.measurement import Measurement, format_number
from gankit_metrics.picture_sets import TooFewPictures


@dataclass(frozen=True)
class OfClass:
    """What was measured of a class."""

    name: str
    measurements: Sequence[Measurement] = ()
    why_not: str = ""  # a sentence, if nothing could be measured

    def rows(self) -> list[dict[str, Any]]:
        """The entries of --json."""
        if self.why_not:
            return [{"class": self.name, "note": self.why_not}]
        return [{"class": self.name, **dataclasses.asdict(row)} for row in self.measurements]


def measure_classes(
    names: Sequence[str],
    only: Sequence[str],
    measure: Callable[[str], list[Measurement]],
) -> list[OfClass]:
    """Measure the classes `only` of a run with class labels, or all `names` if it is empty.

    `measure` gets a class. GankitError if there is no such class.
    """
    if not names:
        raise GankitError(
            "this run has no class labels, so there are no classes to measure: train one with "
            "--class-labels"
        )
    chosen = dict.fromkeys(names[find_class(names, name)] for name in only or names)
    return [_measure(name, measure) for name in chosen]


def _measure(name: str, measure: Callable[[str], list[Measurement]]) -> OfClass:
    try:
        return OfClass(name, measure(name))
    except TooFewPictures as error:
        return OfClass(name, why_not=str(error))


def print_classes(classes: Sequence[OfClass], headline: str) -> None:
    """A table with a row for each class and metric, then the notes on each class."""
    console = OutputConsole()
    if not console.is_terminal:
        console = OutputConsole(width=120)
    console.print(Text(printable(headline)), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for column in ("class", "metric", "value", "95 % interval", "floor", "drawn", "real"):
        left = column in ("class", "metric")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    for each in classes:
        for row in each.measurements:
            table.add_row(
                Text(printable(each.name)),
                Text(printable(row.metric)),
                format_number(row.value),
                f"{format_number(row.low)} to {format_number(row.high)}",
                format_number(row.floor),
                f"{row.samples:,}",
                f"{row.reference:,}",
            )
    if table.row_count:
        console.print(table)
    for each in classes:
        notes = [each.why_not] if each.why_not else [row.note for row in each.measurements]
        for note in dict.fromkeys(filter(None, notes)):
            click.echo(printable(f"{each.name}: {note}"))
