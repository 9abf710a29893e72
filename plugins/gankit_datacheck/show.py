"""Prints the report on a data set, in a terminal 40 columns wide or more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gankit.core.printable import printable
from gankit.data.messages import group_by_reason
from gankit_datacheck.finding import count, percent
from gankit_datacheck.survey import FRAME

MARKS = {"problem": ("✗", "bold red"), "advice": ("!", "bold yellow"), "fine": ("✓", "bold green")}
ASCII = {"✗": "x", "✓": "+", "→": ">", "·": ","}  # for terminals without Unicode
BARS = " ▁▂▃▄▅▆▇█"
MAX_NAMES = 8  # of classes and broken files; the page and --json have all
MAX_WIDTH = 100  # columns: longer lines are hard to read


def print_report(report: dict[str, Any], console: Console) -> None:
    """Print an overview of the pictures, the findings, and what to do about them."""
    ascii_only = console.options.ascii_only
    width = min(console.width, MAX_WIDTH)

    def encodable(line: str) -> str:
        line = printable(line)
        return "".join(ASCII.get(letter, letter) for letter in line) if ascii_only else line

    overview = Table.grid(padding=(0, 2))
    overview.add_column(style="cyan", no_wrap=True)
    overview.add_column(overflow="fold")
    for label, line in overview_rows(report):
        overview.add_row(label, Text(encodable(line)))
    if report["readable"] and not ascii_only:
        overview.add_row("tones", _draw_histograms(report))
    findings = Table.grid(padding=(0, 1))
    findings.add_column(no_wrap=True)
    findings.add_column(overflow="fold")
    for finding in report["findings"]:
        mark, style = MARKS[finding["level"]]
        findings.add_row(Text(encodable(mark), style), Text(encodable(finding["what"])))
        if finding["mend"]:
            findings.add_row("", Text(encodable(f"→ {finding['mend']}"), "cyan"))
    console.print(Text(headline(report), "bold"), width=width)
    for part in (overview, findings):
        console.print()
        console.print(part, width=width)
    if report["try"]:
        console.print()
        console.print(Text.assemble(("Try  ", "bold"), printable(report["try"])), soft_wrap=True)


def headline(report: dict[str, Any]) -> str:
    """One line: the number of pictures, of problems and of pieces of advice."""
    levels = [finding["level"] for finding in report["findings"]]
    problems = levels.count("problem")
    advice = levels.count("advice")
    verdict = f"{count(problems, 'problem')}" if problems else "no problem"
    pieces = f", {count(advice, 'piece')} of advice" if advice else ""
    return f"{count(report['pictures'])} for {report['image_size']} px: {verdict}{pieces}"


def overview_rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The overview of the pictures as (label, text)."""
    yield from _file_rows(report)
    for label, names in (
        ("broken", [f"{file['name']} {file['why']}" for file in report["broken"]]),
        ("ignored", [_format_ignored(*group) for group in group_by_reason(report["left_out"])]),
        ("classes", [f"{name or '(none)'} {n:,}" for name, n in report["classes"].items()]),
    ):
        if names:
            more = f" · {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
            yield label, " · ".join(names[:MAX_NAMES]) + more
    if report["readable"]:
        yield "sizes", _format_sizes(report)
        yield "colour", _format_colours(report)
        copies = report["copies"]
        yield "copies", f"{copies['exact']:,} exact · {copies['near']:,} near"


def _file_rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A line for each format, as `12 AVIF`; the last one has the size of all together."""
    lines = [
        count(number, "film frame") if name == FRAME else f"{number:,} {name}"
        for name, number in report["formats"].items()
    ]
    if report["bytes"]:
        size = f"{report['bytes'] / 1e6:,.1f} MB"
        if len(lines) == 1:
            lines = [f"{lines[0]} · {size}"]
        else:
            lines.append(f"{size} together" if lines else size)
    if report["looked_at"] < report["pictures"]:
        lines.append(f"drawn on demand, {report['looked_at']:,} of them checked")
    for number, line in enumerate(lines):
        yield "" if number else "files", line


def _format_ignored(reason: str, names: list[str]) -> str:
    """`a.mp4 is a film (8)`: the first of the files that are ignored for one reason."""
    number = f" ({len(names):,})" if len(names) > 1 else ""
    return f"{names[0]} {reason.partition(': ')[0]}{number}"


def _format_sizes(report: dict[str, Any]) -> str:
    width = report["width"]
    height = report["height"]
    if width["min"] == width["max"] and height["min"] == height["max"]:
        return f"all {width['min']}x{height['min']} px"
    median = f"median {width['median']:.0f}x{height['median']:.0f} px"
    short = report["short_side"]
    kept = percent(1 - report["lost_in_crop"])
    return f"{median} · short side {short['min']:,} to {short['max']:,} · crop keeps {kept}"


def _format_colours(report: dict[str, Any]) -> str:
    good = report["readable"]
    grey = report["grey"]
    numbers = {
        "in colour": good - grey,
        "grey": grey,
        "plain": report["plain"],
        "transparent": report["transparent"],
    }
    facts = [f"{number:,} {kind}" for kind, number in numbers.items() if number]
    red, green, blue = report["colour"]["mean"]
    return " · ".join([*facts, f"mean {red:.0f} {green:.0f} {blue:.0f}"])


def _draw_histograms(report: dict[str, Any]) -> Text:
    """Histograms of red, green and blue as block characters, dark on the left."""
    bars = Text()
    for row, style in zip(report["colour"]["histogram"], ("red", "green", "blue"), strict=True):
        pairs = [a + b for a, b in zip(row[::2], row[1::2], strict=True)]
        # Scaled to the second largest: many pure black or white pixels would hide the rest.
        top = sorted(pairs)[-2] or 1
        bars.append("".join(BARS[min(8, round(8 * share / top))] for share in pairs), style)
        bars.append(" ")
    return bars
