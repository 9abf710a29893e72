"""The wheel holds what the checkout holds, and says that it is typed."""

import zipfile

import pytest
from imports import HOME, LIBRARY, PLUGINS

TYPED = ("gankit", "gankit_datacheck", "gankit_metrics", "gankit_race")  # what `gankit` offers


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names of the files in a wheel of this checkout."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(HOME))
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = builder.build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_no_file_is_left_out(wheel):
    """A pattern in .gitignore keeps files out of the wheel, too."""
    packages = [LIBRARY, *sorted(PLUGINS.glob("gankit_*"))]
    files = {
        path.relative_to(package.parent).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"gankit/core/step.py", "gankit_tricks/ema.py"} < files
    assert files - wheel == set()
    lessons = {f"gankit_lessons/lessons/{path.name}" for path in HOME.glob("lessons/*.py")}
    assert lessons
    assert lessons <= wheel


def test_type_checkers_may_read_what_gankit_offers(wheel):
    assert {f"{package}/py.typed" for package in TYPED} <= wheel


def test_no_more_than_twenty_packages_are_installed(wheel):
    packages = {name.partition("/")[0] for name in wheel}
    assert {"gankit", "gankit_dcgan"} <= packages
    assert len({name for name in packages if ".dist-info" not in name}) <= 20
