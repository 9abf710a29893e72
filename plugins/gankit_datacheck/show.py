"""A report on a data set in a terminal of 40 columns or more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gankit_datacheck.findings import count, percent

MARKS = {"problem": ("✗", "bold red"), "advice": ("!", "bold yellow"), "fine": ("✓", "bold green")}
ASCII = {"✗": "x", "✓": "+", "→": ">", "·": ","}  # for terminals that know no more
BARS = " ▁▂▃▄▅▆▇█"
SHOWN = 8  # classes and broken files named; the page and --json have all
WIDEST = 100  # columns: longer lines are hard to read


def show(report: dict[str, Any], console: Console) -> None:
    """Print what is there, what it means and what to do."""
    plain = console.options.ascii_only
    width = min(console.width, WIDEST)

    def text(line: str) -> str:
        return "".join(ASCII.get(letter, letter) for letter in line) if plain else line

    overview = Table.grid(padding=(0, 2))
    overview.add_column(style="cyan", no_wrap=True)
    overview.add_column(overflow="fold")
    for label, line in facts(report):
        overview.add_row(label, Text(text(line)))
    if report["readable"] and not plain:
        overview.add_row("tones", _tones(report))
    findings = Table.grid(padding=(0, 1))
    findings.add_column(no_wrap=True)
    findings.add_column(overflow="fold")
    for finding in report["findings"]:
        mark, style = MARKS[finding["level"]]
        findings.add_row(Text(text(mark), style), Text(text(finding["what"])))
        if finding["mend"]:
            findings.add_row("", Text(text(f"→ {finding['mend']}"), "cyan"))
    console.print(Text(headline(report), "bold"), width=width)
    for part in (overview, findings):
        console.print()
        console.print(part, width=width)
    if report["try"]:
        console.print()
        console.print(Text.assemble(("Try  ", "bold"), report["try"]), soft_wrap=True)


def headline(report: dict[str, Any]) -> str:
    """One line: how many pictures, and how they fare."""
    levels = [finding["level"] for finding in report["findings"]]
    problems = levels.count("problem")
    advice = levels.count("advice")
    verdict = f"{count(problems, 'problem')}" if problems else "no problem"
    pieces = f", {count(advice, 'piece')} of advice" if advice else ""
    return f"{count(report['pictures'])} for {report['image_size']} px: {verdict}{pieces}"


def facts(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is there, as (label, words)."""
    good = report["readable"]
    kinds = [f"{number:,} {name}" for name, number in report["formats"].items()]
    if report["bytes"]:
        kinds.append(f"{report['bytes'] / 1e6:,.1f} MB")
    if report["looked_at"] < report["pictures"]:
        kinds.append(f"drawn on demand, {report['looked_at']:,} looked at")
    if kinds:
        yield "files", " · ".join(kinds)
    for label, names in (
        ("broken", [f"{file['name']} {file['why']}" for file in report["broken"]]),
        ("left out", report["left_out"]),
        ("classes", [f"{name or '(none)'} {n:,}" for name, n in report["classes"].items()]),
    ):
        if names:
            more = f" · {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            yield label, " · ".join(names[:SHOWN]) + more
    if good:
        yield "sizes", _sizes(report)
        yield "colour", _colours(report)
        copies = report["copies"]
        yield "copies", f"{copies['exact']:,} exact · {copies['near']:,} near"


def _sizes(report: dict[str, Any]) -> str:
    width = report["width"]
    height = report["height"]
    if width["min"] == width["max"] and height["min"] == height["max"]:
        return f"all {width['min']}x{height['min']} px"
    middle = f"{width['median']:.0f}x{height['median']:.0f} px in the middle"
    short = report["short_side"]
    kept = percent(1 - report["lost_in_crop"])
    return f"{middle} · short side {short['min']:,} to {short['max']:,} · crop keeps {kept}"


def _colours(report: dict[str, Any]) -> str:
    good = report["readable"]
    grey = report["grey"]
    kinds = [f"{good - grey:,} in colour"] if grey < good else []
    kinds += [f"{grey:,} grey"] if grey else []
    kinds += [f"{report['plain']:,} plain"] if report["plain"] else []
    kinds += [f"{report['transparent']:,} transparent"] if report["transparent"] else []
    red, green, blue = report["colour"]["mean"]
    return " · ".join([*kinds, f"mean {red:.0f} {green:.0f} {blue:.0f}"])


def _tones(report: dict[str, Any]) -> Text:
    """How many pixels are how light, in each of red, green and blue: dark on the left."""
    bars = Text()
    for row, style in zip(report["colour"]["histogram"], ("red", "green", "blue"), strict=True):
        pairs = [a + b for a, b in zip(row[::2], row[1::2], strict=True)]
        # Pixels that are all black or white would leave nothing to be seen of the others.
        top = sorted(pairs)[-2] or 1
        bars.append("".join(BARS[min(8, round(8 * share / top))] for share in pairs), style)
        bars.append(" ")
    return bars
