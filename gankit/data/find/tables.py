"""Tables of labels beside pictures: metadata.csv, labels.csv, train.csv and the like."""

from __future__ import annotations

import csv
import itertools
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gankit.core.printable import printable
from gankit.data.find.names import class_name
from gankit.data.find.picture_index import Match, PictureIndex
from gankit.data.find.table_rows import (
    ENDINGS,
    JSON_ENDING,
    describe_broken,
    first_row,
    open_rows,
)
from gankit.data.messages import count_noun
from gankit.data.read.decode import describe_error

LABEL_TABLES = frozenset({"metadata", "labels", "label"})  # names that promise labels
PART_TABLES = frozenset({"train", "training", "val", "valid", "validation", "dev", "test"})
FILE_COLUMNS = (
    "file_name", "filename", "image_id", "image", "img", "image_name", "imagename", "image_path",
    "img_name", "img_path", "file", "filepath", "file_path", "path", "id", "id_code", "name",
    "picture",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "class_name", "classname", "category", "target", "species",
    "breed", "dx", "diagnosis", "type", "genre", "style", "kind",
)  # fmt: skip
OTHER_COLUMNS = frozenset({  # words in the names of columns that say something else
    "text", "caption", "captions", "title", "description", "comment", "split", "subset", "fold",
    "url", "uri", "link", "source", "md5", "sha1", "sha256", "hash", "checksum", "date", "time",
    "timestamp", "author", "photographer", "credit", "credits", "licence", "license", "copyright",
    "width", "height", "size", "bytes",
})  # fmt: skip
MIN_PER_LABEL = 2  # rows, on average: else a column without a known name is not a label
MAX_LABEL = 100  # letters of a label
LISTED = 5  # classes in a line
_NO = ("0", "0.0")  # cells of a table with a column for each class
_YES = ("1", "1.0")


class Table(NamedTuple):
    """A file that may say the class of pictures."""

    name: str  # for messages
    path: str
    folder: str  # below the source, with forward slashes; "" at its top


class Label(NamedTuple):
    """The class of a picture, and the name of the table that says it."""

    text: str
    table: str


class Labels(NamedTuple):
    """The labels of pictures by their index, and what there is to say about the tables."""

    by_picture: dict[int, Label]
    notes: list[str]


class _Columns(NamedTuple):
    files: int
    labels: int | None  # None: each other column is a class, with a 1 for its pictures
    header: Sequence[str]
    has_header: bool
    is_guess: bool = False  # no name says that the column holds labels

    def label(self, row: Sequence[str]) -> str:
        """The label in a row; empty if it has none."""
        if self.labels is not None:
            return row[self.labels].strip() if self.labels < len(row) else ""
        return next((name.strip() for name, cell in self._others(row) if cell in _YES), "")

    def has_one_class(self, row: Sequence[str]) -> bool:
        """Whether each other cell of a row is 0, but for one 1."""
        cells = [cell for _, cell in self._others(row)]
        ones = sum(cell in _YES for cell in cells)
        return ones == 1 and ones + sum(cell in _NO for cell in cells) == len(self.header) - 1

    def _others(self, row: Sequence[str]) -> list[tuple[str, str]]:
        """(name of the column, cell) of all columns but that of the files."""
        cells = enumerate(zip(self.header, row, strict=False))
        return [(name, cell.strip()) for place, (name, cell) in cells if place != self.files]


def may_be_table(name: str, start: bytes) -> bool:
    """Whether a file of this name and these first bytes may hold the labels of pictures."""
    stem, ending = _split_name(name)
    if ending not in (*ENDINGS, JSON_ENDING) or not start.strip():
        return False
    if ending == JSON_ENDING:
        return stem in LABEL_TABLES
    header = [_plain(cell) for cell in first_row(start)]
    has_files = bool(set(header) & set(FILE_COLUMNS)) and len(header) > 1
    return has_files or stem in LABEL_TABLES | PART_TABLES


def _split_name(name: str) -> tuple[str, str]:
    """The name of a table without its folder and its ending, and the ending."""
    stem, _, ending = posixpath.basename(name).lower().rpartition(".")
    return stem, ending


def read_labels(tables: Sequence[Table], pictures: Sequence[str], source: str = "") -> Labels:
    """The labels that tables give to pictures, which are named by their paths below the source.

    A row names a picture as `PictureIndex.find` says; `source` is the name of the source's folder.
    A film or an array that it names so gives its label to all of its pictures. The first label that
    a picture gets is kept; those of rows that name it by its path come first.
    """
    index = PictureIndex(pictures, source)
    outcomes = [_read_or_explain(table, index) for table in tables]
    readings = [outcome for outcome in outcomes if isinstance(outcome, _Reading)]
    by_picture: dict[int, Label] = {}
    for is_by_path in (True, False):
        for reading in readings:
            reading.give_labels(by_picture, is_by_path)
    notes = [
        outcome.describe(len(pictures)) if isinstance(outcome, _Reading) else outcome
        for outcome in outcomes
    ]
    return Labels(by_picture, [note for note in notes if note])


def _read_or_explain(table: Table, index: PictureIndex) -> _Reading | str:
    """What a table says; or the line that says why it is not used, "" if it is about others."""
    try:
        reading = _read_table(table, index)
    except OSError as error:
        return f"{table.name} {describe_error(error)}"
    except (ValueError, csv.Error) as error:
        return f"{table.name} {describe_broken(error)}"
    return reading or ""


def _read_table(table: Table, index: PictureIndex) -> _Reading | None:
    """What a table says; None if it is about something else. ValueError or csv.Error."""
    stem, ending = _split_name(table.name)
    rows_of = open_rows(table.path, ending)
    rows = rows_of()
    first = next(rows, [])
    columns = _find_columns(first, table, index) or _find_one_hot(first, rows_of())
    if columns is None:
        if stem not in LABEL_TABLES:
            return None
        shown = ", ".join(printable(cell)[:30] for cell in first[:8])
        raise ValueError(
            f"has no labels that gankit knows, its first line is {shown}: if it has labels, name "
            "its columns file_name and label"
        )
    reading = _Reading(table, columns)
    for row in rows if columns.has_header else itertools.chain([first], rows):
        reading.add(row, index)
    if columns.is_guess and stem not in LABEL_TABLES | PART_TABLES:
        reading.check_guess()
    return reading


class _Reading:
    """What the rows of one table say, and how many labels it gave."""

    def __init__(self, table: Table, columns: _Columns) -> None:
        self.table = table
        self.columns = columns
        self.rows: list[tuple[Match, str]] = []  # pictures and their label
        self.classes: Counter[str] = Counter()
        self.matched = 0
        self.missing = 0  # rows that name no picture
        self.twice = 0  # rows with another label for a picture that has one
        self.empty = 0  # rows without a label

    def add(self, row: list[str], index: PictureIndex) -> None:
        if not any(cell.strip() for cell in row):
            return
        files = self.columns.files
        match = index.find(row[files].strip() if files < len(row) else "", self.table.folder)
        label = self.columns.label(row)
        if not match.pictures:
            self.missing += 1
        elif not label:
            self.empty += 1
        else:
            self.rows.append((match, class_name(label)[:MAX_LABEL]))

    def check_guess(self) -> None:
        """ValueError if the labels of a column without a known name are hardly classes."""
        count = len({text for _, text in self.rows})
        if MIN_PER_LABEL * count > len(self.rows) > 0:
            assert self.columns.labels is not None
            name = printable(self.columns.header[self.columns.labels].strip())[:30]
            values = f"{count_noun(count, 'value')} in {count_noun(len(self.rows), 'row')}"
            raise ValueError(
                f"is not read as labels, as its column {name} has {values}: if it is the class of "
                "each picture, name it label"
            )

    def give_labels(self, labels: dict[int, Label], is_by_path: bool) -> None:
        """Label the pictures that have none yet, by those rows that name their path, or others."""
        for match, text in self.rows:
            if match.is_by_path == is_by_path:
                self._give(Label(text, self.table.name), match.pictures, labels)

    def _give(self, label: Label, pictures: Sequence[int], labels: dict[int, Label]) -> None:
        labelled = [n for n in pictures if labels.setdefault(n, label).text == label.text]
        self.twice += len(labelled) < len(pictures)
        self.classes.update({label.text: len(labelled)} if labelled else {})
        self.matched += len(labelled)

    def describe(self, total: int) -> str:
        """`metadata.csv: 2 columns, labels for 580 of 600 pictures: rose 200, ...`.

        Empty for a table without a label for these pictures, unless its name promises labels.
        """
        if not self.matched and _split_name(self.table.name)[0] not in LABEL_TABLES:
            return ""
        classes = self.classes.most_common()
        listed = ", ".join(f"{name} {number:,}" for name, number in classes[:LISTED])
        more = f" and {len(classes) - LISTED:,} more" if len(classes) > LISTED else ""
        width = count_noun(len(self.columns.header), "column")
        line = f"{self.table.name}: {width}, labels for {self.matched:,} of {count_noun(total)}"
        line += f": {listed}{more}" if listed else ""
        return "; ".join([line, *self._problems()])

    def _problems(self) -> list[str]:
        extras = [
            (self.missing, "names no picture", "name no picture"),
            (self.empty, "has no label", "have no label"),
            (self.twice, "has another label for a picture, and is ignored",
             "have another label for a picture, and are ignored"),
        ]  # fmt: skip
        return [
            f"{count_noun(number, 'row')} {singular if number == 1 else plural}"
            for number, singular, plural in extras
            if number
        ]


def _find_columns(first: Sequence[str], table: Table, index: PictureIndex) -> _Columns | None:
    """Which columns name the pictures and their labels; None if there are none."""
    header = [_plain(cell) for cell in first]
    if len(header) < 2:
        return None
    files = _first_of(FILE_COLUMNS, header)
    labels = None if files is None else _first_of(LABEL_COLUMNS, header, but=files)
    if files is not None and labels is not None:
        return _Columns(files, labels, first, has_header=True)
    if _has_no_header(first, table, index, has_known_names=files is not None):
        return _Columns(0, 1, first, has_header=False)
    if files is None or len(header) > 2 or OTHER_COLUMNS & set(header[1 - files].split("_")):
        return None
    return _Columns(files, 1 - files, first, has_header=True, is_guess=True)


def _has_no_header(
    first: Sequence[str], table: Table, index: PictureIndex, *, has_known_names: bool
) -> bool:
    """Whether a table begins with a picture and its label.

    A first line that could be a header begins with a picture only if it has the picture's ending.
    """
    stem, _ = _split_name(table.name)
    may_be = stem in LABEL_TABLES or (stem in PART_TABLES and len(first) == 2)
    name = first[0].strip()
    if not may_be or (has_known_names and "." not in name):
        return False
    return bool(index.find(name, table.folder).pictures)


def _find_one_hot(first: Sequence[str], rows: Iterator[list[str]]) -> _Columns | None:
    """The columns of a table that has one for each class, with a single 1 in each row; or None."""
    files = _first_of(FILE_COLUMNS, [_plain(cell) for cell in first])
    if files is None or len(first) < 3:
        return None
    columns = _Columns(files, None, first, has_header=True)
    data = [columns.has_one_class(row) for row in itertools.islice(rows, 1, None) if any(row)]
    return columns if data and all(data) else None


def _first_of(names: Iterable[str], header: Sequence[str], but: int = -1) -> int | None:
    for name in names:
        if name in header and header.index(name) != but:
            return header.index(name)
    return None


def _plain(cell: str) -> str:
    """The name of a column: `Image ID` is image_id."""
    return cell.strip().lower().replace(" ", "_").replace("-", "_")
