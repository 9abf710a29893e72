"""Reads a lesson from its file: its prose, cells and exercise, for the terminal and the site."""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path

from gankit.core.errors import GankitError, did_you_mean

LABELS = ("You will learn", "You should know", "It takes", "You will see", "Predict", "Break it",
          "Exercise")  # fmt: skip
CELL_MARK = re.compile(r"^# %%.*\n", re.MULTILINE)
STEPS = "GANKIT_LESSON_STEPS"  # environment variable: the number of steps that a lesson trains
ANSWER_LINE = "answer = None"  # in the exercise; your answer replaces None


@dataclass(frozen=True)
class Cell:
    """The part of a lesson between two `# %%` marks: prose, then code; either may be empty."""

    prose: str  # Markdown
    code: str
    line: int  # of the file, where the code begins


@dataclass(frozen=True)
class Lesson:
    """A lesson, read from its file without importing it."""

    path: Path
    number: int
    title: str
    intro: str  # Markdown: what it is about
    labels: dict[str, str]  # one of LABELS -> its text
    closing: str  # Markdown: the end of the docstring, how to run it
    cells: tuple[Cell, ...]  # without the exercise
    exercise: Cell

    @property
    def minutes(self) -> str:
        """How long it takes on two cores, in its author's words: a number, or `a`, `one` ..."""
        match = re.search(r"about (\w+) minutes?", self.labels["It takes"])
        return match.group(1) if match else "?"

    def fingerprint(self) -> str:
        """A hash of the code; it does not change with the prose, comments or the exercise."""
        comment_lines = re.compile(r"^\s*(#.*)?\n", re.MULTILINE)
        code = [comment_lines.sub("", cell.code + "\n") for cell in self.cells]
        code = [text for text in code if text]
        return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]

    def exercise_imports(self) -> ast.Module | None:
        """The imports that the exercise needs; None if it needs variables of the cells too."""
        names = [n for n in ast.walk(ast.parse(self.exercise.code)) if isinstance(n, ast.Name)]
        needed = {name.id for name in names} - set(dir(builtins))
        needed -= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        imports: list[ast.stmt] = []
        for cell in self.cells:
            for node in _parse_at(cell.line, cell.code).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    bound = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
                    if bound & needed:
                        imports.append(node)
                    needed -= bound
        return None if needed else ast.Module(imports, [])

    def exercise_with_answer(self, text: str) -> ast.Module:
        """The code of the exercise with your answer, a Python expression, in place of None."""
        answer = ast.parse(text.strip(), mode="eval").body
        tree = _parse_at(self.exercise.line, self.exercise.code)
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node) == ANSWER_LINE:
                node.value = answer
        return ast.fix_missing_locations(tree)


def _parse_at(line: int, code: str) -> ast.Module:
    """Parse code so that its line numbers are those of the file, where it begins at `line`."""
    return ast.parse("\n" * (line - 1) + code)


def read(path: Path) -> Lesson:
    """Read the lesson in a file; a GankitError names what is missing from it."""
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    title_match = re.match(r"Lesson (\d+): (.+)\n=+\n", docstring)
    marks = list(CELL_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    cells = [_read_cell(text, mark.end(), end) for mark, end in zip(marks, ends, strict=False)]
    if not title_match or not cells or ANSWER_LINE not in cells[-1].code.splitlines():
        raise GankitError(
            f"{path} is not a lesson: it needs a title, cells, and an exercise in the last cell"
        )
    intro, labels, closing = _split_docstring(docstring[title_match.end() :])
    missing = [label for label in LABELS if label not in labels]
    if missing:
        raise GankitError(f"{path}: add to the docstring: {', '.join(missing)}")
    number = int(title_match.group(1))
    title = title_match.group(2)
    return Lesson(path, number, title, intro, labels, closing, tuple(cells[:-1]), cells[-1])


def _read_cell(text: str, start: int, end: int) -> Cell:
    lines = text[start:end].splitlines()
    num_prose_lines = len(lines)
    for index, line in enumerate(lines):
        if not line.startswith("#"):
            num_prose_lines = index
            break
    prose = "\n".join(line[1:].removeprefix(" ") for line in lines[:num_prose_lines])
    code = "\n".join(lines[num_prose_lines:])
    num_empty_lines = len(code) - len(code.lstrip("\n"))
    code_line = text.count("\n", 0, start) + num_prose_lines + num_empty_lines + 1
    return Cell(prose.strip(), code.strip("\n").rstrip(), code_line)


def _split_docstring(docstring: str) -> tuple[str, dict[str, str], str]:
    """The text before the labels, the labels with their texts, and the text after them."""
    start = re.compile(rf"^(?:{'|'.join(LABELS)})\s", re.MULTILINE).search(docstring)
    if not start:
        return docstring.strip(), {}, ""
    block, _, closing = docstring[start.start() :].partition("\n\n")
    pairs = re.findall(rf"^({'|'.join(LABELS)})\s+(.*(?:\n +.*)*)", block, re.MULTILINE)
    labels = {label: inspect.cleandoc(text).replace("\n", " ") for label, text in pairs}
    return docstring[: start.start()].strip(), labels, closing.strip()


def lessons_folder() -> Path:
    """The folder of the lessons: inside the package in a wheel, `lessons/` in a checkout."""
    inside = Path(__file__).with_name("lessons")
    return inside if inside.is_dir() else Path(__file__).parents[2] / "lessons"


def read_all() -> list[Lesson]:
    """All lessons, in order."""
    return [read(path) for path in _lesson_paths().values()]


def _lesson_paths() -> dict[str, Path]:
    """File name without its extension -> path, in order."""
    folder = lessons_folder()
    paths = {path.stem: path for path in sorted(folder.glob("[0-9][0-9]_*.py"))}
    if not paths:
        raise GankitError(f"there are no lessons in {folder}: install gankit again", 1)
    return paths


def find(which: str) -> Lesson:
    """Read a lesson by its number or by the name of its file."""
    paths = _lesson_paths()
    if which.isdecimal():
        for stem, path in paths.items():
            if int(stem[:2]) == int(which):
                return read(path)
        numbers = ", ".join(str(int(stem[:2])) for stem in paths)
        raise GankitError(f"there is no lesson {which}. There is: {numbers}.")
    names = {stem[3:].replace("_", "-"): path for stem, path in paths.items()}
    name = which.removesuffix(".py").replace("_", "-").lstrip("0123456789-")
    if name not in names:
        raise GankitError(f"there is no lesson {which!r}.{did_you_mean(name, names)}")
    return read(names[name])
