"""Runs the cells of a lesson one after another; they share their variables, as in a notebook."""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import os
import sys
import time
import types
from typing import Any

from gankit.core.errors import RunStopped
from gankit_lessons.lesson import Cell, Lesson

INTERRUPTED = 130  # exit code


class CellFailed(Exception):
    """A cell raised an error or was interrupted; the message names the line of the lesson."""

    def __init__(self, lesson: Lesson, error: BaseException) -> None:
        self.error = error
        self.is_interrupted = isinstance(error, KeyboardInterrupt | RunStopped)
        message = " ".join(str(error).split())
        name = "interrupted" if self.is_interrupted else type(error).__name__
        self.line, self.source = _find_lesson_line(lesson, error)
        location = f"{lesson.path.name}, line {self.line}" if self.line else lesson.path.name
        super().__init__(f"{location}: {name}: {message}" if message else f"{location}: {name}")


def _find_lesson_line(lesson: Lesson, error: BaseException) -> tuple[int, str]:
    """Number and text of the innermost line of the lesson in the traceback; 0 if there is none."""
    line = 0
    traceback = error.__traceback__
    while traceback:
        if traceback.tb_frame.f_code.co_filename == str(lesson.path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line, linecache.getline(str(lesson.path), line).strip()


@functools.cache
def fix_threads() -> None:
    """Choose the number of threads once: runs of a lesson may be compared bit for bit."""
    from gankit.compute.threads import choose_threads  # imports torch

    os.environ.setdefault("OMP_NUM_THREADS", str(choose_threads()))


class Session:
    """The variables of a lesson while you take it."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.module = types.ModuleType(f"lesson_{lesson.number:02d}")
        self.module.__file__ = str(lesson.path)
        sys.modules[self.module.__name__] = self.module  # inspect and pickle look there

    def run(self, cell: Cell) -> float:
        """Run a cell; returns the seconds it took, or raises CellFailed."""
        fix_threads()
        started = time.monotonic()
        self._execute("\n" * (cell.line - 1) + cell.code)
        return time.monotonic() - started

    def check(self, answer: str) -> bool:
        """Run the exercise with an answer, a Python expression; True if it prints `Right...`.

        Raises SyntaxError if the answer is not an expression, CellFailed if the exercise raises.
        """
        output = Tee(sys.stdout)
        with contextlib.redirect_stdout(output):
            if imports := self.lesson.exercise_imports():  # you may have skipped the cells
                self._execute(imports)
            self._execute(self.lesson.exercise_with_answer(answer))
        return any(line.startswith("Right") for line in output.getvalue().splitlines())

    def _execute(self, source: Any) -> None:
        try:
            exec(compile(source, str(self.lesson.path), "exec"), vars(self.module))
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a cell may raise anything
            raise CellFailed(self.lesson, error) from error


class Tee(io.StringIO):
    """Keeps what is written to it, and writes it to another stream at once."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(text)
        self.stream.flush()
        return super().write(text)
