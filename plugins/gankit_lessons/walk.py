"""A walk through a lesson: predict, read, run, see, answer; you can stop and continue later."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import re
from collections.abc import Sequence
from typing import Any

from gankit_lessons import progress
from gankit_lessons.lesson import STEPS, Cell, Lesson
from gankit_lessons.session import INTERRUPTED, CellFailed, Session
from gankit_lessons.view import View


class Quit(Exception):
    """The learner stops the walk."""

    def __init__(self, exit_code: int = 0) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class LessonWalk:
    """Takes a learner through one lesson in a terminal."""

    def __init__(self, lesson: Lesson, view: View | None = None) -> None:
        self.lesson = lesson
        self.view = view or View()
        self.session = Session(lesson)
        vars(self.session.module)["print"] = self.view.print
        self.state = self._load_state()
        self.last_seconds: dict[str, float] = dict(self.state["seconds"])
        self.last_steps = self.state.get("steps", "")
        self.has_shown_prediction = False
        self.last_save_error = ""

    def run(self) -> int:
        """Walk from the start, or the cell you stopped at, to the end; returns the exit code."""
        try:
            self.view.head(self.lesson)
            start = self._resume()
            if start == 0:
                self._predict()
            for index in range(start, len(self.lesson.cells)):
                self._show_and_run(index)
            self._exercise()
            self._end()
        except Quit as quit_:
            return quit_.exit_code
        return 0

    def _load_state(self) -> dict[str, Any]:
        """The saved state; cells and times are kept only if the lesson's code is the same."""
        state = progress.load().get(str(self.lesson.number), {})
        fingerprint = self.lesson.fingerprint()
        if state.get("code") != fingerprint:
            state = {key: state[key] for key in ("done", "exercise") if key in state}
        cells = range(len(self.lesson.cells))
        next_cell = state.get("at", 0)
        if next_cell - 1 not in cells or not set(state.get("ran", ())) <= set(cells):
            for key in ("at", "ran", "prediction"):
                state.pop(key, None)
        return {"ran": [], "seconds": {}, **state, "code": fingerprint}

    def _save(self) -> None:
        self.state["steps"] = os.environ.get(STEPS, "")
        error = progress.save(self.lesson.number, self.state)
        if error and error != self.last_save_error:
            self.view.say(error, "yellow")
        self.last_save_error = error

    # --- asking

    def _ask(self, prompt: str) -> str:
        """Ask for a line; `q`, Ctrl-C and the end of the input stop the walk."""
        try:
            answer = self.view.ask(prompt)
        except (EOFError, KeyboardInterrupt) as error:
            exit_code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else 0
            raise self._quit(exit_code) from None
        if answer.lower() in ("q", "quit"):
            raise self._quit()
        return answer

    def _choose(self, prompt: str, keys: Sequence[str]) -> str:
        """Ask for one of the keys; Enter gives an empty text."""
        while True:
            key = self._ask(prompt).lower()[:1]
            if key in ("", *keys):
                return key
            self.view.say(f"Press one of these: Enter, {', '.join([*keys, 'q'])}.")

    def _pause(self) -> None:
        self._choose("Enter: show the rest of the cell, q: quit > ", "")

    def _quit(self, exit_code: int = 0) -> Quit:
        if next_cell := self.state.get("at"):
            self._save()
            self.view.say(f"\nStopped before cell {next_cell + 1} of {self._num_cells()}.")
            self.view.say(f"Continue with: gankit lesson {self.lesson.number}")
        return Quit(exit_code)

    def _num_cells(self) -> int:
        return len(self.lesson.cells) + 1  # with the exercise

    # --- beginning

    def _predict(self) -> None:
        self.view.labels(self.lesson, "Predict")
        self.state["prediction"] = self._ask("Your prediction, in a few words (Enter: none): ")
        self.view.say("")

    def _resume(self) -> int:
        """The index of the first cell to show: 0, or where you stopped, after a rerun."""
        next_cell = self.state.get("at")
        if not next_cell:
            return 0
        rerun = self._cells_to_rerun(next_cell)
        steps = self.state.get("steps")
        self.view.say(f"You stopped before cell {next_cell + 1}.")
        if rerun:
            seconds = sum(self.state["seconds"].get(str(index), 0) for index in rerun)
            with_steps = f" with --steps {steps}" if steps else ""
            self.view.say(
                "Cells share their variables, so the cells that you ran must run again first. "
                f"They took {format_seconds(seconds)}{with_steps}."
            )
        self.view.say("")
        action = "run them without output" if rerun else "continue"
        if self._choose(f"Enter: {action}, b: start at the beginning, q: quit > ", "b") == "b":
            self.state |= {"at": 0, "ran": [], "seconds": {}}
            return 0
        if steps:  # the same --steps as before, unless you give another one
            os.environ.setdefault(STEPS, steps)
        self.state["ran"] = rerun
        for index in rerun:
            self._rerun(index)
        return int(next_cell)

    def _cells_to_rerun(self, next_cell: int) -> list[int]:
        """The cells whose variables are needed; none for an exercise that needs only imports."""
        if next_cell == len(self.lesson.cells) and self.lesson.exercise_imports():
            return []
        return [index for index in self.state["ran"] if self.lesson.cells[index].code]

    def _rerun(self, index: int) -> None:
        """Run a cell without showing what it prints."""
        with (
            self.view.status(f"cell {index + 1} runs again{self._last_time(index)}"),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            try:
                self.session.run(self.lesson.cells[index])
                return
            except CellFailed as error:
                failed = error
        self.view.say(f"Cell {index + 1} failed when it ran again. {failed}", "red")
        raise self._quit(INTERRUPTED if failed.is_interrupted else 1)

    # --- cells

    def _show_and_run(self, index: int) -> None:
        cell = self.lesson.cells[index]
        if "your prediction" in cell.prose.lower():
            self._show_prediction()
        self.view.cell(cell, f"Cell {index + 1} of {self._num_cells()}", self._pause)
        if not cell.code:
            self._choose("Enter: continue, q: quit > ", "")
        else:
            prompt = f"Enter: run it{self._last_time(index)}, s: skip it, q: quit > "
            if self._choose(prompt, "s") != "s":
                self._run_cell(index, cell)
        self.state["at"] = index + 1
        self._save()

    def _last_time(self, index: int) -> str:
        """How long the cell took the last time, if that is known and worth knowing."""
        seconds = self.last_seconds.get(str(index), 0)
        if seconds < 2 or self.last_steps != os.environ.get(STEPS, ""):
            return ""
        return f" ({format_seconds(seconds)} last time)"

    def _run_cell(self, index: int, cell: Cell) -> None:
        """Run a cell, again if it fails and the learner wants to."""
        while True:
            try:
                seconds = self.session.run(cell)
            except CellFailed as failed:
                self._explain(failed, index)
                if self._choose("Enter: continue, r: run it again, q: quit > ", "r") == "":
                    return
            else:
                self.state["ran"].append(index)
                self.state["seconds"][str(index)] = round(seconds, 1)
                self.view.say(f"({format_seconds(seconds)})\n" if seconds >= 1 else "", "dim")
                return

    def _explain(self, failed: CellFailed, index: int) -> None:
        if failed.is_interrupted:
            self.view.say("")  # ends the line with the terminal's ^C
        self.view.say(f"Cell {index + 1}: {failed}", "red")
        if failed.source:
            self.view.say(f"    {failed.source}")
        if hint := self._missing_cells_hint(failed.error, index):
            self.view.say(hint)

    def _missing_cells_hint(self, error: BaseException, before: int) -> str:
        """For a NameError: a sentence on the cells before that use the name and did not run."""
        if not isinstance(error, NameError) or not error.name:
            return ""
        word = re.compile(rf"\b{error.name}\b")
        missing = [
            str(index + 1)
            for index in range(before)
            if word.search(self.lesson.cells[index].code) and index not in self.state["ran"]
        ]
        if not missing:
            return ""
        cells = "cell" if len(missing) == 1 else "cells"
        return f"{error.name!r} is used in {cells} {', '.join(missing)}, which did not run."

    # --- the end

    def _exercise(self) -> None:
        title = f"Cell {self._num_cells()} of {self._num_cells()}"
        self.view.cell(Cell(self.lesson.exercise.prose, "", 0), title, self._pause)
        self.view.say("Type your answer in Python. Press Enter to leave the exercise open.")
        while text := self._ask("answer = "):
            try:
                is_right = self.session.check(text)
            except SyntaxError:
                self.view.say("That is not a Python expression. Put text in quotes: 'like this'.")
            except CellFailed as failed:
                self._explain_unchecked(failed)
            else:
                self.state["exercise"] = self.state.get("exercise", False) or is_right
                if is_right:
                    break
        self.view.say("")

    def _explain_unchecked(self, failed: CellFailed) -> None:
        message = f"{type(failed.error).__name__}: {failed.error}".replace("\n", " ").rstrip(".")
        hint = self._missing_cells_hint(failed.error, len(self.lesson.cells))
        if not hint and isinstance(failed.error, NameError):
            hint = "Put text in quotes."
        self.view.say(f"Your answer could not be checked. {message}. {hint}".rstrip())

    def _show_prediction(self) -> None:
        if self.state.get("prediction") and not self.has_shown_prediction:
            self.view.say(f'You predicted: "{self.state["prediction"]}"\n', "bold")
        self.has_shown_prediction = True

    def _end(self) -> None:
        self._show_prediction()
        self.view.labels(self.lesson, "You will see", "Break it")
        self.view.say(
            f"Break a copy of the lesson's file, and run it with python:\n{self.lesson.path}\n"
        )
        self.state["done"] = datetime.date.today().isoformat()
        if self.state.get("exercise"):
            for key in ("at", "ran"):  # nothing is left to continue with
                self.state.pop(key)
        self._save()
        result = "your answer was right" if self.state.get("exercise") else "the exercise is open"
        self.view.say(f"Lesson {self.lesson.number} is done, and {result}.", "bold")


def format_seconds(seconds: float) -> str:
    """A rounded time, such as "45 seconds" or "3 minutes"."""
    if seconds < 90:
        return "1 second" if round(seconds) == 1 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"
