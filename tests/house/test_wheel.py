"""The wheel contains every file of the packages, and marks the typed ones."""

import zipfile

import pytest
from imports import LIBRARY, PLUGINS, ROOT

TYPED = ("gankit", "gankit_datacheck", "gankit_metrics", "gankit_race")  # `gankit` exports these


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names of the files in a wheel of this checkout."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(ROOT))
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = builder.build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_no_file_is_missing(wheel):
    """The build omits files that match .gitignore, so a careless pattern there fails here."""
    packages = [LIBRARY, *sorted(PLUGINS.glob("gankit_*"))]
    files = {
        path.relative_to(package.parent).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"gankit/core/step.py", "gankit_tricks/ema.py"} < files
    assert files - wheel == set()
    lessons = {f"gankit_lessons/lessons/{path.name}" for path in ROOT.glob("lessons/*.py")}
    assert lessons
    assert lessons <= wheel


def test_exported_packages_are_marked_as_typed(wheel):
    assert {f"{package}/py.typed" for package in TYPED} <= wheel


def test_no_more_than_24_packages_are_installed(wheel):
    packages = {name.partition("/")[0] for name in wheel}
    assert {"gankit", "gankit_dcgan"} <= packages
    assert len({name for name in packages if ".dist-info" not in name}) <= 24
