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
def path_of():
    """`path_of(5)`: the script of lesson 5."""
    return LESSONS.__getitem__


@pytest.fixture(scope="session")
def lesson(tmp_path_factory, isolated):
    """`lesson(5)`: the folder where lesson 5 ran, what it printed (said), its variables (found)."""
    folder = tmp_path_factory.mktemp("lessons")
    done = {}

    def run(number):
        if number not in done:
            output = io.StringIO()
            with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
                patch.chdir(folder)
                patch.setenv("GANKIT_LESSON_STEPS", "8")
                patch.setattr(sys, "path", [*sys.path])
                variables = runpy.run_path(str(LESSONS[number]))
            done[number] = SimpleNamespace(folder=folder, said=output.getvalue(), found=variables)
        return done[number]

    return run


@pytest.fixture
def keeps_its_promises(lesson, monkeypatch, capsys):
    """`keeps_its_promises(5, right, wrong)`: it draws its picture and checks these answers."""

    def check(number, right, wrong):
        with Image.open(lesson(number).folder / f"lesson-{number:02d}.png") as picture:
            assert min(picture.size) > 200
            assert len(picture.convert("RGB").getcolors(2**24)) > 2  # more than text
        monkeypatch.chdir(lesson(number).folder)
        monkeypatch.setenv("GANKIT_LESSON_STEPS", "8")
        session = Session(reading.read(LESSONS[number]))
        vars(session.module).update(lesson(number).found)
        verdicts = [(answer, "Right") for answer in right]
        verdicts += [(answer, "Not yet") for answer in wrong]
        for answer, verdict in verdicts:
            capsys.readouterr()
            assert session.check(answer) is (verdict == "Right")
            assert capsys.readouterr().out.splitlines()[-1].startswith(verdict), answer
        if session.lesson.exercise_imports():  # then it needs no cell to run before
            assert all(Session(session.lesson).check(answer) for answer in right)

    return check
