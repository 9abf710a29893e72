"""Each lesson runs once, in its short form, and all tests use that run.

Under xdist this holds for the tests of one file: `--dist loadfile` keeps them in one process.
"""

import contextlib
import io
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from gankit_lessons import lesson as reading
from gankit_lessons.session import Session
from PIL import Image

LESSONS = {
    int(path.name[:2]): path
    for path in sorted((Path(__file__).parents[2] / "lessons").glob("[0-9]*.py"))
}


def pytest_generate_tests(metafunc):
    """A test with the argument `number` runs for each lesson, or those in its file's LESSONS."""
    if "number" in metafunc.fixturenames:
        numbers = getattr(metafunc.module, "LESSONS", LESSONS)
        metafunc.parametrize("number", numbers, ids=lambda number: LESSONS[number].stem)


@pytest.fixture(scope="session")
def lesson_path():
    """`lesson_path(5)`: the script of lesson 5."""
    return LESSONS.__getitem__


@pytest.fixture(scope="session")
def lesson(tmp_path_factory, isolated):
    """`lesson(5)`: a short run of lesson 5, with its `folder`, `output` (text) and `variables`."""
    folder = tmp_path_factory.mktemp("lessons")
    runs = {}

    def run(number):
        if number not in runs:
            output = io.StringIO()
            with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
                patch.chdir(folder)
                patch.setenv("GANKIT_LESSON_STEPS", "8")
                patch.setattr(sys, "path", [*sys.path])
                variables = runpy.run_path(str(LESSONS[number]))
            runs[number] = SimpleNamespace(
                folder=folder, output=output.getvalue(), variables=variables
            )
        return runs[number]

    return run


@pytest.fixture
def check_picture_and_answers(lesson, monkeypatch, capsys):
    """`check_picture_and_answers(5, right, wrong)`: test lesson 5's picture and its exercise."""

    def check(number, right_answers, wrong_answers):
        with Image.open(lesson(number).folder / f"lesson-{number:02d}.png") as picture:
            assert min(picture.size) > 200
            assert len(picture.convert("RGB").getcolors(2**24)) > 2  # more than text
        monkeypatch.chdir(lesson(number).folder)
        monkeypatch.setenv("GANKIT_LESSON_STEPS", "8")
        session = Session(reading.read(LESSONS[number]))
        vars(session.module).update(lesson(number).variables)
        verdicts = [(answer, "Right") for answer in right_answers]
        verdicts += [(answer, "Not yet") for answer in wrong_answers]
        for answer, verdict in verdicts:
            capsys.readouterr()
            assert session.check(answer) is (verdict == "Right")
            assert capsys.readouterr().out.splitlines()[-1].startswith(verdict), answer
        if session.lesson.exercise_imports():  # then the exercise also works without the cells
            assert all(Session(session.lesson).check(answer) for answer in right_answers)

    return check
