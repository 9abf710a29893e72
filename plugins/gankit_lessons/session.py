"""Runs the cells of a lesson one after another; they share their variables, as in a notebook."""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
import time
import types
from typing import Any

from gankit_lessons.lesson import Cell, Lesson


class CellFailed(Exception):
    """A cell raised, or was interrupted; worded for the learner, with the line."""

    def __init__(self, lesson: Lesson, error: BaseException) -> None:
        self.error = error
        what = " ".join(str(error).split())
        name = "interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
        self.line, self.source = _place(lesson, error)
        where = f"{lesson.path.name}, line {self.line}" if self.line else lesson.path.name
        super().__init__(f"{where}: {name}{': ' + what if what else ''}")


def _place(lesson: Lesson, error: BaseException) -> tuple[int, str]:
    """The last line of the lesson on the way to the error: the learner can change that one."""
    line, trace = 0, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(lesson.path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line, linecache.getline(str(lesson.path), line).strip()


class Session:
    """The variables of a lesson that is being taken."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.module = types.ModuleType(f"lesson_{lesson.number:02d}")
        self.module.__file__ = str(lesson.path)
        sys.modules[self.module.__name__] = self.module  # inspect and pickle look there

    def run(self, cell: Cell) -> float:
        """Run a cell; returns the seconds it took, or raises CellFailed."""
        started = time.monotonic()
        self._execute("\n" * (cell.line - 1) + cell.code)
        return time.monotonic() - started

    def check(self, text: str) -> bool:
        """Put an answer into the exercise and run it, which prints; was it right?"""
        heard = Heard(sys.stdout)
        with contextlib.redirect_stdout(heard):
            if imports := self.lesson.exercise_imports():  # the cells may have been skipped
                self._execute(imports)
            self._execute(self.lesson.answered(text))
        return any(line.startswith("Right") for line in heard.getvalue().splitlines())

    def _execute(self, source: Any) -> None:
        try:
            exec(compile(source, str(self.lesson.path), "exec"), vars(self.module))
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a learner's code
            raise CellFailed(self.lesson, error) from error


class Heard(io.StringIO):
    """Listens to what is written, and passes it on at once."""

    def __init__(self, to: Any) -> None:
        super().__init__()
        self.to = to

    def write(self, text: str) -> int:
        self.to.write(text)
        self.to.flush()
        return super().write(text)
