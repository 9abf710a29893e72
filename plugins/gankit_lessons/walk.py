"""A walk through a lesson: predict, read, run, see, answer; can be left and taken up again."""

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
from gankit_lessons.session import CellFailed, Session
from gankit_lessons.view import View

INTERRUPTED = 130


class Leave(Exception):
    """The learner wants to stop here."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code


class Walk:
    """One learner, one lesson, one terminal."""

    def __init__(self, lesson: Lesson, view: View | None = None) -> None:
        self.lesson, self.view = lesson, view or View()
        self.session = Session(lesson)
        vars(self.session.module)["print"] = self.view.print
        self.state = self._known()
        self.shown_prediction, self.said_wrong = False, ""

    def go(self) -> int:
        """Walk from where one is to the end or to `q`; returns the exit code."""
        try:
            self.view.head(self.lesson)
            start = self._take_up()
            if start == 0:
                self._predict()
            for index in range(start, len(self.lesson.cells)):
                self._cell(index)
            self._exercise()
            self._end()
        except Leave as leave:
            return leave.code
        return 0

    def _known(self) -> dict[str, Any]:
        """What is remembered; the place in it only if the lesson's code is as it was."""
        state = progress.load().get(str(self.lesson.number), {})
        at, same = state.get("at"), state.get("code") == self.lesson.fingerprint()
        if not (same and isinstance(at, int) and 0 < at <= len(self.lesson.cells)):
            state = {key: state[key] for key in ("done", "exercise") if key in state}
        return {"ran": [], "seconds": {}, **state, "code": self.lesson.fingerprint()}

    def _save(self) -> None:
        self.state["steps"] = os.environ.get(STEPS, "")
        wrong = progress.save(self.lesson.number, self.state)
        if wrong and wrong != self.said_wrong:
            self.view.say(wrong, "yellow")
        self.said_wrong = wrong

    # --- asking

    def _ask(self, prompt: str) -> str:
        """A line; `q`, Ctrl-C and the end of a piped input leave the lesson."""
        try:
            answer = self.view.ask(prompt)
        except (EOFError, KeyboardInterrupt) as error:
            raise self._left(INTERRUPTED if isinstance(error, KeyboardInterrupt) else 0) from None
        if answer.lower() in ("q", "quit"):
            raise self._left()
        return answer

    def _choose(self, prompt: str, keys: Sequence[str]) -> str:
        """One of the keys, "" for Enter."""
        while (answer := self._ask(prompt).lower()[:1]) not in ("", *keys):
            self.view.say(f"One of these, please: Enter, {', '.join([*keys, 'q'])}.")
        return answer

    def _left(self, code: int = 0) -> Leave:
        if at := self.state.get("at"):
            self._save()
            self.view.say(f"\nStopped before cell {at + 1} of {len(self.lesson.cells) + 1}.")
            self.view.say(f"Go on with: gankit lesson {self.lesson.number}")
        return Leave(code)

    # --- beginning

    def _predict(self) -> None:
        self.view.labels(self.lesson, "Predict")
        said = self._ask("Your prediction, in a few words (Enter: none): ")
        self.state["prediction"] = said
        self.view.say("")

    def _take_up(self) -> int:
        """The cell to begin with: the first, or where one stopped, after running the others."""
        at = self.state.get("at")
        if not at:
            return 0
        cells, steps = self._to_run_again(at), self.state.get("steps")
        took = spoken(sum(self.state["seconds"].get(str(index), 0) for index in cells))
        took += f" with --steps {steps}" if steps else ""
        gone = " Cells share their variables, and these are gone"
        again = f"{gone}: the cells you ran must run again first. They took {took}."
        self.view.say(f"You stopped before cell {at + 1}.{again if cells else ''}\n")
        run = "run them quietly" if cells else "go on"
        if self._choose(f"Enter: {run}, b: begin anew, q: quit > ", "b") == "b":
            self.state |= {"at": 0, "ran": [], "seconds": {}}
            return 0
        if steps:  # as short as it was, unless something else is asked for now
            os.environ.setdefault(STEPS, steps)
        self.state["ran"] = cells
        for index in cells:
            self._again(index)
        return int(at)

    def _to_run_again(self, at: int) -> list[int]:
        """The cells whose variables are missed: none, if only an exercise without any is left."""
        if at == len(self.lesson.cells) and self.lesson.exercise_imports():
            return []
        return [index for index in self.state["ran"] if self.lesson.cells[index].code]

    def _again(self, index: int) -> None:
        """Run a cell without showing what it prints."""
        with (
            self.view.console.status(f"cell {index + 1} runs again"),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            try:
                self.session.run(self.lesson.cells[index])
                return
            except CellFailed as error:
                failed = error
        self.view.say(f"Cell {index + 1} did not run again. {failed}", "red")
        raise self._left(INTERRUPTED if isinstance(failed.error, KeyboardInterrupt) else 1)

    # --- cells

    def _cell(self, index: int) -> None:
        cell = self.lesson.cells[index]
        if "your prediction" in cell.prose.lower():
            self._remind()
        self.view.cell(cell, f"Cell {index + 1} of {len(self.lesson.cells) + 1}")
        if not cell.code:
            self._choose("Enter: go on, q: quit > ", "")
        elif self._choose("Enter: run it, s: skip it, q: quit > ", "s") == "":
            self._run(index, cell)
        self.state["at"] = index + 1
        self._save()

    def _run(self, index: int, cell: Cell) -> None:
        """Run a cell as often as the learner wants to try it."""
        while True:
            try:
                seconds = self.session.run(cell)
            except CellFailed as failed:
                self._explain(failed, index)
                if self._choose("Enter: go on, r: run it again, q: quit > ", "r") == "":
                    return
            else:
                self.state["ran"].append(index)
                self.state["seconds"][str(index)] = round(seconds, 1)
                self.view.say(f"({spoken(seconds)})\n" if seconds >= 1 else "", "dim")
                return

    def _explain(self, failed: CellFailed, index: int) -> None:
        below = "\n" if isinstance(failed.error, KeyboardInterrupt) else ""  # the terminal's ^C
        self.view.say(f"{below}Cell {index + 1}: {failed}", "red")
        if failed.source:
            self.view.say(f"    {failed.source}")
        if left_out := self._left_out(failed.error, index):
            self.view.say(left_out)

    def _left_out(self, error: BaseException, before: int) -> str:
        """Which cells did not run that speak of the name that is missed, in a sentence; or ""."""
        name = error.name if isinstance(error, NameError) else None
        word = re.compile(rf"\b{name}\b")
        known = [i for i in range(before) if name and word.search(self.lesson.cells[i].code)]
        cells = ", ".join(str(i + 1) for i in known if i not in self.state["ran"])
        return f"Cells share their variables, and cell {cells} did not run." if cells else ""

    # --- the end

    def _exercise(self) -> None:
        cells = len(self.lesson.cells) + 1
        self.view.cell(Cell(self.lesson.exercise.prose, "", 0), f"Cell {cells} of {cells}")
        self.view.say("Your answer, in Python; Enter leaves the exercise open.")
        while text := self._ask("answer = "):
            try:
                right = self.session.check(text)
            except SyntaxError:
                self.view.say("That is no Python expression. Texts go in quotes: 'like this'.")
            except CellFailed as failed:
                self._not_understood(failed)
            else:
                self.state["exercise"] = self.state.get("exercise", False) or right
                if right:
                    break
        self.view.say("")

    def _not_understood(self, failed: CellFailed) -> None:
        what = f"{type(failed.error).__name__}: {failed.error}".replace("\n", " ").rstrip(".")
        quotes = "Texts go in quotes." if isinstance(failed.error, NameError) else ""
        hint = self._left_out(failed.error, len(self.lesson.cells)) or quotes
        self.view.say(f"This could not be checked. {what}. {hint}".rstrip())

    def _remind(self) -> None:
        if self.state.get("prediction") and not self.shown_prediction:
            self.view.say(f'You predicted: "{self.state["prediction"]}"\n', "bold")
        self.shown_prediction = True

    def _end(self) -> None:
        self._remind()
        self.view.labels(self.lesson, "You will see", "Break it")
        self.view.say(f"Break a copy of its file, and run that with python:\n{self.lesson.path}\n")
        self.state["done"] = datetime.date.today().isoformat()
        if self.state.get("exercise"):
            for key in ("at", "ran", "seconds"):  # there is nothing left to come back for
                self.state.pop(key)
        self._save()
        exercise = "your answer was right" if self.state.get("exercise") else "the exercise is open"
        self.view.say(f"Lesson {self.lesson.number} is done, and {exercise}.", "bold")


def spoken(seconds: float) -> str:
    """A time, roughly."""
    if seconds < 90:
        return "1 second" if round(seconds) == 1 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"
