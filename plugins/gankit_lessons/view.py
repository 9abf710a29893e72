"""How a lesson looks in a terminal, 40 columns wide or more."""

from __future__ import annotations

import builtins
import contextlib
import re
import sys
from collections.abc import Callable
from typing import Any

from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from gankit.cli.terminal.live_terminal import shows_live_view
from gankit.cli.terminal.rich_console import OutputConsole
from gankit_lessons.lesson import STEPS, Cell, Lesson

with contextlib.suppress(ImportError):  # not on Windows
    import readline  # noqa: F401 - arrow keys edit an answer

MAX_WIDTH = 100
CONTINUATION = "    "  # starts the second row of a wrapped line
THEME = Theme({"markdown.code": "bold cyan"})  # on the terminal's own background, light or dark


class View:
    """Prints prose as Markdown, and code with its line numbers in the file."""

    def __init__(self) -> None:
        # The stream is kept: sys.stdout is another one while cells run again without output.
        self.console = OutputConsole(file=sys.stdout, highlight=False, theme=THEME)
        self.is_interactive = self.console.is_terminal and sys.stdin.isatty()
        self.terminal_width = sys.maxsize
        if self.console.is_terminal:
            self.terminal_width = max(20, self.console.width)
        self.console.width = min(self.console.width, MAX_WIDTH)
        self.unfinished_line = ""  # printed by a cell without a newline at its end

    def say(self, text: str, style: str = "") -> None:
        """Print a line of the walk; square brackets in it are not rich's markup."""
        self.console.print(text, style=style or None, markup=False)

    def status(self, text: str) -> contextlib.AbstractContextManager[Any]:
        """Show what is going on while this is open: a spinner, or a line where none can turn."""
        if shows_live_view(self.console.file):
            return self.console.status(text)
        self.say(text)
        return contextlib.nullcontext()

    def markdown(self, text: str) -> None:
        if text:
            self.console.print(Padding(Markdown(text), (0, 0, 1, 0)))

    def print(self, *values: Any, sep: str = " ", end: str = "\n", **options: Any) -> None:
        """`print` for the cells: a line wider than the terminal is wrapped between words."""
        if options.get("file"):
            builtins.print(*values, sep=sep, end=end, **options)
            return
        text = self.unfinished_line + sep.join(map(str, values)) + end
        *lines, self.unfinished_line = text.split("\n")
        for line in lines:
            builtins.print(wrap_line(line, self.terminal_width), **options)

    def labels(self, lesson: Lesson, *labels: str) -> None:
        """Print labels of the lesson with their texts, in two columns if the terminal is wide."""
        if self.console.width < 60:
            for label in labels:
                self.say(label, "bold")
                self.markdown(label_text(lesson, label))
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        for label in labels:
            table.add_row(f"[bold]{label}[/]", Markdown(label_text(lesson, label)))
        self.console.print(table)
        self.console.print()

    def head(self, lesson: Lesson) -> None:
        self.console.print(Rule(f"Lesson {lesson.number}: {lesson.title}", characters="="))
        self.console.print()
        self.markdown(lesson.intro)
        self.labels(lesson, "You will learn", "You should know", "It takes", "You will see")

    def cell(self, cell: Cell, title: str, pause: Callable[[], Any]) -> None:
        """Print a cell; call `pause` between its pages if it is longer than the window."""
        with self.console.capture() as capture:
            self.console.print(Rule(title, align="left", characters="-", style="dim"))
            self.markdown(cell.prose)
            if cell.code:
                self._code(cell)
        lines = capture.get().splitlines()
        page_height = self.console.height - 2  # room for the question after it, and one more line
        while self.is_interactive and len(lines) > page_height + 1:  # the last line is empty
            end = find_page_break(lines, page_height)
            self._write(lines[:end])
            pause()
            lines = lines[end:]
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        self.console.file.write("".join(f"{line}\n" for line in lines))

    def _code(self, cell: Cell) -> None:
        """Print code in the terminal's own colours, which are readable on light and dark."""
        syntax = Syntax(
            cell.code,
            "python",
            theme="ansi_dark",
            background_color="default",
            line_numbers=self.console.width >= 60,  # they take a tenth of a narrow line
            start_line=cell.line,
            word_wrap=True,
        )
        self.console.print(syntax)
        self.console.print()

    def ask(self, prompt: str) -> str:
        """Read a line from the learner; raises EOFError at the end of the input."""
        if self.unfinished_line:
            self.print()
        self.console.file.flush()
        discard_early_keys()
        try:
            answer = input(prompt)
        except (EOFError, KeyboardInterrupt):
            self.say("")  # ends the line of the prompt
            raise
        if not sys.stdin.isatty():  # at a terminal, Enter has ended the line
            self.say("")
        return answer.strip()


def label_text(lesson: Lesson, label: str) -> str:
    """The text of a label; the environment variable of scripts becomes the option --steps."""
    command = rf"`gankit lesson {lesson.number} --steps \1`"
    return re.sub(rf"{STEPS}=(\d+)", command, lesson.labels[label])


def wrap_line(line: str, width: int) -> str:
    """Wrap a line to this width, between columns (two spaces) or else between words."""
    rows = []
    while len(line) > width:
        indent = len(line) - len(line.lstrip())
        cut = width
        for gap in ("  ", " "):
            position = line.rfind(gap, indent, width + len(gap))
            if position > indent:
                cut = position
                break
        rows.append(line[:cut].rstrip())
        line = CONTINUATION + line[cut:].strip()
    return "\n".join([*rows, line])


def find_page_break(lines: list[str], height: int) -> int:
    """How many lines to put on a page of this height: up to an empty line in its lower half."""
    for end in range(height, height // 2, -1):
        text = Text.from_ansi(lines[end - 1]).plain
        if re.fullmatch(r"[\s\d]*", text):  # empty, or a line number and no code
            return end
    return height


def discard_early_keys() -> None:
    """Discard keys pressed while a cell ran, so that they do not answer the next question."""
    if not sys.stdin.isatty():
        return
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
