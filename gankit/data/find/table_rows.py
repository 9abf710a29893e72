"""The rows of a table in a file: values between commas, semicolons, tabs or |, or JSON lines."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ENDINGS = frozenset({"csv", "tsv"})
JSON_ENDING = "jsonl"  # an object in each line
MAX_BYTES = 256 << 20  # of a table
MAX_CELL = 1 << 17  # letters, the limit of Python's csv module
SMALLER = "give the labels in a smaller one, with the columns file_name and label"
_SEPARATOR = re.compile(r'"?sep=."?', re.IGNORECASE)


def first_row(start: bytes) -> list[str]:
    """The first row of a csv or tsv file that begins with these bytes."""
    first = next(iter(_without_separator(_decode(start)).splitlines()), "")
    return next(_rows(first, _delimiter(first)), [])


def open_rows(path: str, ending: str) -> Callable[[], Iterator[list[str]]]:
    """A function that goes through the rows of a table, from the first one at each call.

    The first row has the names of the columns, if the table has them. ValueError or csv.Error for
    a table that is too large or broken.
    """
    text = _read_text(path)
    if ending == JSON_ENDING:
        return lambda: _rows_of_json(text)
    text = _without_separator(text)
    delimiter = _delimiter(text[:MAX_CELL].partition("\n")[0])
    return lambda: _rows(text, delimiter)


def describe_broken(error: Exception) -> str:
    """What is wrong with a table, and the cure."""
    if "field larger than field limit" in str(error):
        return f"is a table with a cell of more than {MAX_CELL:,} letters: {SMALLER}"
    if isinstance(error, csv.Error):
        return "is a broken table: save it again as csv"
    return str(error)


def _read_text(path: str) -> str:
    with Path(path).open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"is a table of more than {MAX_BYTES >> 20} MB: {SMALLER}")
    return _decode(content)


def _decode(content: bytes) -> str:
    """The text of a table: UTF-8, UTF-16 as Excel writes it, or else Windows' letters."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _without_separator(text: str) -> str:
    """The text of a table without the line `sep=;` that Excel may put before it."""
    first, newline, rest = text.partition("\n")
    return rest if newline and _SEPARATOR.fullmatch(first.rstrip("\r")) else text


def _delimiter(line: str) -> str:
    """What separates the columns of a table: the most frequent of these in its first line."""
    return max(",;\t|", key=line.count)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)


def _rows_of_json(text: str) -> Iterator[list[str]]:
    """The keys of the first object, and then the values of these keys in each object."""
    keys: list[str] = []
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip():
            record = _read_object(line, number)
            if not keys:
                keys = list(record)
                yield keys
            yield [_as_cell(record.get(key)) for key in keys]


def _read_object(line: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise ValueError(f"is a broken table: its line {number:,} is not an object of JSON")
    return record


def _as_cell(value: Any) -> str:
    """The text of a value of JSON; empty for none, and for lists and objects."""
    return "" if value is None or isinstance(value, list | dict) else str(value)
