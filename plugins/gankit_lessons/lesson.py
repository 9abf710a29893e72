"""A lesson as data: its words, its cells, its exercise. The terminal and the site read it here."""

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
CELL = re.compile(r"^# %%.*\n", re.MULTILINE)
STEPS = "GANKIT_LESSON_STEPS"  # in the environment: a lesson reads how long it shall train
QUESTION = "answer = None"  # the line of the last cell that a learner's answer replaces


@dataclass(frozen=True)
class Cell:
    """What lies between two `# %%`: words, then code; one of them may be empty."""

    prose: str  # Markdown
    code: str
    line: int  # of the file, where the code begins


@dataclass(frozen=True)
class Lesson:
    """A lesson, read from its file and not imported."""

    path: Path
    number: int
    title: str
    intro: str  # Markdown: what it is about
    labels: dict[str, str]  # of LABELS, "Predict" -> what it says
    closing: str  # Markdown: the end of the docstring, how to run it
    cells: tuple[Cell, ...]  # without the exercise
    exercise: Cell

    @property
    def minutes(self) -> str:
        """On two cores, as its author says: a number, or a word."""
        found = re.search(r"about (\w+) minutes?", self.labels["It takes"])
        return found.group(1) if found else "?"

    def fingerprint(self) -> str:
        """Changes with the code, and not with its words or its exercise."""
        code = [re.sub(r"^\s*(#.*)?\n", "", c.code + "\n", flags=re.MULTILINE) for c in self.cells]
        code = [text for text in code if text]
        return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]

    def exercise_imports(self) -> ast.Module | None:
        """The imports the exercise needs; None if it needs more of the cells, and they must run."""
        names = [n for n in ast.walk(ast.parse(self.exercise.code)) if isinstance(n, ast.Name)]
        needed = {name.id for name in names} - set(dir(builtins))
        needed -= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        statements: list[ast.stmt] = []
        for cell in self.cells:
            for node in ast.parse("\n" * (cell.line - 1) + cell.code).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    bound = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
                    statements += [node] if bound & needed else []
                    needed -= bound
        return None if needed else ast.Module(statements, [])

    def answered(self, text: str) -> ast.Module:
        """The exercise's code with an expression in place of None."""
        expression = ast.parse(text.strip(), mode="eval").body
        tree = ast.parse("\n" * (self.exercise.line - 1) + self.exercise.code)
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node) == QUESTION:
                node.value = expression
        return ast.fix_missing_locations(tree)


def read(path: Path) -> Lesson:
    """The lesson in a file; a GankitError says what is missing from one that is none."""
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    head = re.match(r"Lesson (\d+): (.+)\n=+\n", docstring)
    marks = list(CELL.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    cells = [_cell(text, mark.end(), end) for mark, end in zip(marks, ends, strict=False)]
    if not head or not cells or QUESTION not in cells[-1].code.splitlines():
        raise GankitError(f"{path} is no lesson: it needs a title, cells, and an exercise at last")
    intro, labels, closing = _parts(docstring[head.end() :])
    missing = [label for label in LABELS if label not in labels]
    if missing:
        raise GankitError(f"{path}: the docstring does not say: {', '.join(missing)}")
    number, title = int(head.group(1)), head.group(2)
    return Lesson(path, number, title, intro, labels, closing, tuple(cells[:-1]), cells[-1])


def _cell(text: str, start: int, end: int) -> Cell:
    lines = text[start:end].splitlines()
    words = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    prose = "\n".join(line[1:].removeprefix(" ") for line in lines[:words])
    code = "\n".join(lines[words:])
    empty = len(code) - len(code.lstrip("\n"))
    line = text.count("\n", 0, start) + words + empty + 1
    return Cell(prose.strip(), code.strip("\n").rstrip(), line)


def _parts(docstring: str) -> tuple[str, dict[str, str], str]:
    """The words before the labels, the labels, the words behind them."""
    start = re.compile(rf"^(?:{'|'.join(LABELS)})\s", re.MULTILINE).search(docstring)
    if not start:
        return docstring.strip(), {}, ""
    block, _, closing = docstring[start.start() :].partition("\n\n")
    found = re.findall(rf"^({'|'.join(LABELS)})\s+(.*(?:\n +.*)*)", block, re.MULTILINE)
    labels = {label: inspect.cleandoc(text).replace("\n", " ") for label, text in found}
    return docstring[: start.start()].strip(), labels, closing.strip()


def folder() -> Path:
    """Where the lessons lie: inside the package in a wheel, in `lessons/` in a checkout."""
    inside = Path(__file__).with_name("lessons")
    return inside if inside.is_dir() else Path(__file__).parents[2] / "lessons"


def lessons() -> list[Lesson]:
    """All of them, in order."""
    return [read(path) for path in _paths().values()]


def _paths() -> dict[str, Path]:
    """Their files by name."""
    found = {path.stem: path for path in sorted(folder().glob("[0-9][0-9]_*.py"))}
    if not found:
        raise GankitError(f"no lesson is in {folder()}: install gankit again", 1)
    return found


def find(which: str) -> Lesson:
    """A lesson by its number, or by its file's name."""
    paths = _paths()
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
