"""Tables of labels beside pictures: metadata.csv, labels.csv, train.csv and the like."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gankit.data.messages import count_noun
from gankit.data.read.decode import describe_error
from gankit.data.read.names import printable

ENDINGS = frozenset({"csv", "tsv"})
LABEL_TABLES = frozenset({"metadata", "labels", "label"})  # names that promise labels
FILE_COLUMNS = (
    "file_name", "filename", "image_id", "image", "img", "image_name", "imagename", "image_path",
    "img_name", "img_path", "file", "filepath", "file_path", "path", "id", "id_code", "name",
    "picture",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "class_name", "classname", "category", "target", "species",
    "breed", "dx", "diagnosis", "type", "genre", "style", "kind",
)  # fmt: skip
MAX_BYTES = 256 << 20  # of a table
MAX_COLUMNS = 1000
MAX_CELL = 1 << 17  # letters, the limit of Python's csv module
MAX_LABEL = 100  # letters of a label
_OF_FILE = re.compile(r"\[\d+\]$")  # frame 7 of a.gif is a.gif[000000007]
_SEPARATOR = re.compile(r'"?sep=."?', re.IGNORECASE)
SMALLER = "give the labels in a smaller one, with the columns file_name and label"
LISTED = 5  # classes in a line
_NO = ("0", "0.0")  # cells of a table with a column for each class
_YES = ("1", "1.0")


class Table(NamedTuple):
    """A file that may say the class of pictures."""

    name: str  # for messages
    path: str
    folder: str  # below the source, with forward slashes; "" at its top


class Labels(NamedTuple):
    """The labels of pictures by their index, and what there is to say about the tables."""

    by_picture: dict[int, str]
    notes: list[str]


class _Columns(NamedTuple):
    files: int
    labels: int | None  # None: each other column is a class, with a 1 for its pictures
    header: Sequence[str]
    has_header: bool

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
    stem, _, ending = name.lower().rpartition(".")
    if ending not in ENDINGS or not start.strip():
        return False
    first = next(iter(_without_separator(_decode(start)).splitlines()), "")
    header = [_plain(cell) for cell in next(iter(_rows(first, _delimiter(first))), [])]
    return stem in LABEL_TABLES or bool(set(header) & set(FILE_COLUMNS) and len(header) > 1)


def read_labels(tables: Sequence[Table], pictures: Sequence[str]) -> Labels:
    """The labels that tables give to pictures, which are named by their paths below the source.

    A row names a picture by its path, from the table's folder or from the source, or by its file's
    name alone, with or without the ending. A film or an array that it names so gives its label to
    all of its pictures. The first label that a picture gets is kept.
    """
    index = _Index(pictures)
    labels = Labels({}, [])
    for table in tables:
        try:
            note = _read_table(table, index, labels.by_picture, len(pictures))
        except OSError as error:
            labels.notes.append(f"{table.name} {describe_error(error)}")
        except (ValueError, csv.Error) as error:
            labels.notes.append(f"{table.name} {_describe_broken(error)}")
        else:
            labels.notes.extend([note] if note else [])
    return labels


def _describe_broken(error: Exception) -> str:
    if "field larger than field limit" in str(error):
        return f"is a table with a cell of more than {MAX_CELL:,} letters: {SMALLER}"
    if isinstance(error, csv.Error):
        return "is a broken table: save it again as csv"
    return str(error)


def _read_table(table: Table, index: _Index, labels: dict[int, str], total: int) -> str:
    """Add the table's labels; the line that says what it held, or "" if it is about others."""
    text = _without_separator(_read_text(table.path))
    delimiter = _delimiter(text[:MAX_CELL].partition("\n")[0])
    rows = _rows(text, delimiter)
    first = next(rows, [])
    columns = _find_columns(first, table, index)
    columns = columns or _find_one_hot(first, _rows(text, delimiter))
    promises = posixpath.splitext(posixpath.basename(table.name))[0].lower() in LABEL_TABLES
    if columns is None:
        if not promises:
            return ""
        shown = ", ".join(printable(cell)[:30] for cell in first[:8])
        raise ValueError(
            f"has no labels that gankit knows, its first line is {shown}: if it has labels, name "
            "its columns file_name and label"
        )
    data = rows if columns.has_header else _chain(first, rows)
    result = _Reading()
    for row in data:
        result.add(row, columns, table, index, labels)
    if not result.matched and not promises:
        return ""
    return result.describe(table, columns, total)


class _Reading:
    """Counts what the rows of one table say."""

    def __init__(self) -> None:
        self.classes: Counter[str] = Counter()
        self.matched = 0
        self.missing = 0  # rows that name no picture
        self.twice = 0  # rows with another label for a picture that has one
        self.empty = 0  # rows without a label

    def add(
        self, row: list[str], columns: _Columns, table: Table, index: _Index, labels: dict[int, str]
    ) -> None:
        if not any(cell.strip() for cell in row):
            return
        name = row[columns.files].strip() if columns.files < len(row) else ""
        label = columns.label(row)
        matches = index.find(name, table.folder)
        if not matches:
            self.missing += 1
            return
        if not label:
            self.empty += 1
            return
        text = printable(label)[:MAX_LABEL]
        labelled = [number for number in matches if labels.setdefault(number, text) == text]
        self.twice += len(labelled) < len(matches)
        self.classes.update({text: len(labelled)} if labelled else {})
        self.matched += len(labelled)

    def describe(self, table: Table, columns: _Columns, total: int) -> str:
        """`metadata.csv: 2 columns, labels for 580 of 600 pictures: rose 200, ...`."""
        classes = self.classes.most_common()
        listed = ", ".join(f"{name} {number:,}" for name, number in classes[:LISTED])
        more = f" and {len(classes) - LISTED:,} more" if len(classes) > LISTED else ""
        extras = [
            (self.missing, "names no picture", "name no picture"),
            (self.empty, "has no label", "have no label"),
            (self.twice, "has another label for a picture, and is ignored",
             "have another label for a picture, and are ignored"),
        ]  # fmt: skip
        problems = [
            f"{count_noun(number, 'row')} {singular if number == 1 else plural}"
            for number, singular, plural in extras
            if number
        ]
        width = count_noun(len(columns.header), "column")
        line = f"{table.name}: {width}, labels for {self.matched:,} of {count_noun(total)}"
        line += f": {listed}{more}" if listed else ""
        return "; ".join([line, *problems])


class _Index:
    """Finds pictures by the names that tables give to their files."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.pictures: defaultdict[str, list[int]] = defaultdict(list)  # of a file
        for number, path in enumerate(paths):
            self.pictures[_OF_FILE.sub("", path)].append(number)
        self.by_path: defaultdict[str, set[str]] = defaultdict(set)  # also without the ending
        self.by_name: defaultdict[str, set[str]] = defaultdict(set)
        for file in self.pictures:
            for path in (_fold(file), posixpath.splitext(_fold(file))[0]):
                self.by_path[path].add(file)
                self.by_name[posixpath.basename(path)].add(file)

    def find(self, name: str, folder: str) -> list[int]:
        """The pictures of the file that a row names; none if several files have such a name.

        A picture is the only one of its file; films and arrays have many.
        """
        name = posixpath.normpath(name.replace("\\", "/")) if name else ""
        if not name or name == ".":
            return []
        paths = (posixpath.normpath(posixpath.join(folder, name)), name.lstrip("/"))
        for path in paths:
            if path in self.pictures:
                return self.pictures[path]
        names = [self.by_path.get(_fold(path), set()) for path in paths]
        names.append(self.by_name.get(posixpath.basename(_fold(name)), set()))
        files = next((files for files in names if len(files) == 1), set())
        return [number for file in files for number in self.pictures[file]]


def _find_columns(first: Sequence[str], table: Table, index: _Index) -> _Columns | None:
    """Which columns name the pictures and their labels; None if there are none."""
    header = [_plain(cell) for cell in first]
    if len(header) < 2:
        return None
    if index.find(first[0].strip(), table.folder):  # a picture in the first line: no header
        return _Columns(0, 1, first, has_header=False)
    files = _first_of(FILE_COLUMNS, header)
    if files is None:
        return None
    labels = _first_of(LABEL_COLUMNS, header, but=files)
    if labels is None and len(header) == 2 and header[1 - files] not in ("text", "caption"):
        labels = 1 - files
    if labels is None:
        return None
    return _Columns(files, labels, first, has_header=True)


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


def _fold(path: str) -> str:
    """A path as it is compared: in any case, and with ü as one letter or as two."""
    return unicodedata.normalize("NFC", path).casefold()


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)


def _chain(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows
