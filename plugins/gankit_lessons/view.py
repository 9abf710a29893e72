"""How a lesson looks in a terminal, 40 columns wide or more."""

from __future__ import annotations

import builtins
import contextlib
import re
import sys
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.theme import Theme

from gankit_lessons.lesson import STEPS, Cell, Lesson

with contextlib.suppress(ImportError):  # Windows has its own way
    import readline  # noqa: F401 - arrow keys while one types an answer

WIDEST = 100
GOES_ON = "    "  # before the rest of a line
LOOKS = Theme({"markdown.code": "bold cyan"})  # on the terminal's own background, light or dark


class View:
    """Words as Markdown, code with its line numbers in the file."""

    def __init__(self) -> None:
        # The stream as it is now: while cells run again quietly, sys.stdout is another one.
        self.console = Console(file=sys.stdout, highlight=False, theme=LOOKS)
        self.screen = max(20, self.console.width) if self.console.is_terminal else sys.maxsize
        self.console.width = min(self.console.width, WIDEST)
        self.begun = ""  # a line that a cell has not ended yet

    def say(self, text: str, style: str = "") -> None:
        """One line of ours; its square brackets mean themselves."""
        self.console.print(text, style=style or None, markup=False)

    def words(self, text: str) -> None:
        if text:
            self.console.print(Padding(Markdown(text), (0, 0, 1, 0)))

    def print(self, *values: Any, sep: str = " ", end: str = "\n", **options: Any) -> None:
        """`print` for the cells: a line that is too wide goes on below, and no word is cut."""
        if options.get("file"):
            builtins.print(*values, sep=sep, end=end, **options)
            return
        *lines, self.begun = (self.begun + sep.join(map(str, values)) + end).split("\n")
        for line in lines:
            builtins.print(folded(line, self.screen), **options)

    def labels(self, lesson: Lesson, *labels: str) -> None:
        """What the lesson's head says: beside one another, or below in a narrow terminal."""
        if self.console.width < 60:
            for label in labels:
                self.say(label, "bold")
                self.words(said(lesson, label))
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        for label in labels:
            table.add_row(f"[bold]{label}[/]", Markdown(said(lesson, label)))
        self.console.print(table)
        self.console.print()

    def head(self, lesson: Lesson) -> None:
        self.console.print(Rule(f"Lesson {lesson.number}: {lesson.title}", characters="="))
        self.console.print()
        self.words(lesson.intro)
        self.labels(lesson, "You will learn", "You should know", "It takes", "You will see")

    def cell(self, cell: Cell, title: str) -> None:
        self.console.print(Rule(title, align="left", characters="-", style="dim"))
        self.words(cell.prose)
        if cell.code:
            self.code(cell)

    def code(self, cell: Cell) -> None:
        """In the terminal's own colours, so that it can be read on light and dark."""
        shown = Syntax(
            cell.code,
            "python",
            theme="ansi_dark",
            background_color="default",
            line_numbers=self.console.width >= 60,  # they would take a tenth of a narrow line
            start_line=cell.line,
            word_wrap=True,
        )
        self.console.print(shown)
        self.console.print()

    def ask(self, prompt: str) -> str:
        """A line from the learner; EOFError at the end of the input."""
        if self.begun:
            self.print()
        self.console.file.flush()
        forget_early_keys()
        try:
            answer = input(prompt)
        except (EOFError, KeyboardInterrupt):
            self.say("")  # what comes next begins a line
            raise
        if not sys.stdin.isatty():  # nobody's Enter has ended the line
            self.say("")
        return answer.strip()


def said(lesson: Lesson, label: str) -> str:
    """What the lesson's head says; what is a variable for a script is an option here."""
    here = rf"`gankit lesson {lesson.number} --steps \1`"
    return re.sub(rf"{STEPS}=(\d+)", here, lesson.labels[label])


def folded(line: str, width: int) -> str:
    """The line in rows of this width, broken between columns (two spaces), or else words."""
    rows = []
    while len(line) > width:
        begins = len(line) - len(line.lstrip())
        places = (line.rfind(gap, begins, width + len(gap)) for gap in ("  ", " "))
        at = next((place for place in places if place > begins), width)
        rows.append(line[:at].rstrip())
        line = GOES_ON + line[at:].strip()
    return "\n".join([*rows, line])


def forget_early_keys() -> None:
    """What was pressed while a cell ran answers nothing that is asked after it."""
    with contextlib.suppress(ImportError):  # Windows has its own way
        import termios

        if sys.stdin.isatty():
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
