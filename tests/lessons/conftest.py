"""Every lesson runs once, in its short form, whatever is then asked about it.

Under xdist that holds for the tests of one file: `--dist loadfile` keeps them together.
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
    """A test that takes `number` is asked of every lesson, or of those its file names."""
    if "number" in metafunc.fixturenames:
        asked = getattr(metafunc.module, "LESSONS", LESSONS)
        metafunc.parametrize("number", asked, ids=lambda number: LESSONS[number].stem)


@pytest.fixture(scope="session")
def path_of():
    """`path_of(5)`: the script of lesson 5."""
    return LESSONS.__getitem__


@pytest.fixture(scope="session")
def lesson(tmp_path_factory, isolated):
    """`lesson(5)`: the folder lesson 5 ran in, what it printed, and the variables it left."""
    folder, done = tmp_path_factory.mktemp("lessons"), {}

    def run(number):
        if number not in done:
            said = io.StringIO()
            with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
                patch.chdir(folder)
                patch.setenv("GANKIT_LESSON_STEPS", "8")
                patch.setattr(sys, "path", [*sys.path])
                found = runpy.run_path(str(LESSONS[number]))
            done[number] = SimpleNamespace(folder=folder, said=said.getvalue(), found=found)
        return done[number]

    return run


@pytest.fixture
def keeps_its_promises(lesson, monkeypatch, capsys):
    """`keeps_its_promises(5, right, wrong)`: it leaves a picture and knows these answers."""

    def check(number, right, wrong):
        with Image.open(lesson(number).folder / f"lesson-{number:02d}.png") as picture:
            assert min(picture.size) > 200
            assert len(picture.convert("RGB").getcolors(2**24)) > 2  # more than letters
        monkeypatch.chdir(lesson(number).folder)
        monkeypatch.setenv("GANKIT_LESSON_STEPS", "8")
        session = Session(reading.read(LESSONS[number]))
        vars(session.module).update(lesson(number).found)
        for answer, verdict in [(one, "Right") for one in right] + [
            (one, "Not yet") for one in wrong
        ]:
            capsys.readouterr()
            assert session.check(answer) is (verdict == "Right")
            assert capsys.readouterr().out.splitlines()[-1].startswith(verdict), answer
        if session.lesson.exercise_imports():  # then one may come back for it without training
            assert all(Session(session.lesson).check(answer) for answer in right)

    return check
