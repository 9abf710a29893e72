"""A run's folder that is deleted, moved or replaced while it trains.

A run is left that can be used, with a line that says so, or the command fails and says why.
"""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

import gankit
from gankit import compose, hookimpl, train
from gankit.cli.run.from_options import resumed
from gankit.core.errors import RunFailed, RunStopped
from gankit.core.parts.registry import load_registry
from gankit.core.stop import Stop
from gankit.runs.log import read_rows
from gankit.training.checkpoints import checkpoint

SETTINGS = {"length": "12 steps", "log_every": 2, "draw_every": 4, "save_every": 4, "keep": 9}
STEPS = {"before the first checkpoint": 2, "between two": 6, "after the last": 12}


@pytest.fixture(autouse=True)
def no_videos(monkeypatch):
    """A video of each run takes longer than these runs do."""
    monkeypatch.setattr("gankit.runs.video.write_video", lambda *args: None)


@pytest.fixture(scope="module")
def expected(tiny, registry, tmp_path_factory):
    """The weights of G after the run, if nobody touches its folder."""
    out = str(tmp_path_factory.mktemp("untouched") / "a")
    return weights(train(compose(registry, **tiny(**SETTINGS), out=out), registry))


@pytest.fixture
def folder(here):
    return here / "runs" / "a"


@pytest.fixture
def run(tiny, registry, folder):
    return compose(registry, **tiny(**SETTINGS), out=str(folder))


class Vandal:
    """An observer that changes the run's folder once, after a step was logged or at the end."""

    def __init__(self, step, change):
        self.step = step
        self.change = change

    @hookimpl
    def step_done(self, step):
        if step == self.step < 12:
            self.change()

    @hookimpl
    def run_finished(self):
        if self.step == 12:
            self.change()


def train_with(run, step, change, **options):
    registry = load_registry()
    assert not registry.load("vandal", lambda: Vandal(step, change)).error
    return train(run, registry, **options)


def delete(folder):
    shutil.rmtree(folder)


def empty(folder):
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not path.name.startswith("."):
            path.unlink()


def delete_checkpoints(folder):
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def delete_run_file(folder):
    (folder / "run.json").unlink()


def move(folder):
    folder.rename(folder.with_name("moved"))


def move_parent(folder):
    folder.parent.rename(folder.parent.with_name("old"))


def leave_a_link(folder):
    move(folder)
    folder.symlink_to(folder.with_name("moved"))


CHANGES = [delete, empty, delete_checkpoints, delete_run_file, move, move_parent, leave_a_link]


def weights(folder):
    return checkpoint.load(folder / "checkpoints" / "step-000012").model["G"]


def assert_usable(folder, registry):
    """Sampling and resuming work."""
    assert gankit.load(folder).step == 12
    train(resumed(folder, length="14 steps"), registry, resume=True)
    assert gankit.load(folder).step == 14
    assert [int(row["step"]) for row in read_rows(folder)][-1:] == [14]


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_run_can_be_used_afterwards(run, folder, registry, change, step, expected, caplog):
    train_with(run, step, lambda: change(folder))
    found = weights(folder)
    assert all(found[name].equal(tensor) for name, tensor in expected.items())
    lines = [r.getMessage() for r in caplog.records if "moved during the run" in r.getMessage()]
    nothing_lost = change is leave_a_link or (change is delete_checkpoints and step == 2)
    assert bool(lines) != nothing_lost
    assert all("runs/a" in line for line in lines)
    assert_usable(folder, registry)
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("name", [".", "checkpoints"])
def test_a_folder_may_be_deleted_just_before_gankit_lists_it(
    run, folder, registry, monkeypatch, name
):
    scan = os.scandir
    looks = []

    def scandir(path="."):
        if not looks and Path(path) == folder / name and Path(path).exists():
            looks.append(path)
            delete(folder)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    train(run, registry)
    assert looks
    assert_usable(folder, registry)


def test_a_folder_may_be_deleted_just_after_run_json_was_written(
    run, folder, registry, monkeypatch
):
    rename = Path.replace
    renames = []

    def replace(source, target):
        rename(source, target)
        if not renames and target == folder / "run.json":
            renames.append(target)
            delete(folder)

    monkeypatch.setattr(Path, "replace", replace)
    train(run, registry)
    assert renames
    assert_usable(folder, registry)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_moved_run_can_be_resumed_where_it_is(run, folder, registry, step):
    train_with(run, step, lambda: move(folder))
    moved = folder.with_name("moved")
    train(resumed(moved), registry, resume=True)
    assert gankit.load(moved).step == 12


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_file_in_the_place_of_the_folder_is_a_failure(run, folder, step):
    def replace():
        delete(folder)
        folder.write_text("mine")

    with pytest.raises(RunFailed, match="deleted") as failed:
        train_with(run, step, replace)
    assert failed.value.exit_code == 1
    assert "\n" not in str(failed.value)
    assert str(folder) in str(failed.value)
    assert folder.read_text() == "mine"


@pytest.mark.parametrize("is_running", [True, False], ids=["training", "finished"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_another_run_in_its_place_is_left_alone(run, folder, registry, tiny, step, is_running):
    """The folder was moved, and another run has begun under the same name."""
    files = {}

    def contents():
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in paths}

    def replace():
        move(folder)
        other = compose(registry, **tiny(**SETTINGS, seed=5), out=str(folder))
        if is_running:
            train_with(other, 6, lambda: None)
        else:
            train(other, registry)
        files.update(contents())

    with pytest.raises(RunFailed, match="another run") as failed:
        train_with(run, step, replace)
    assert failed.value.exit_code == 1
    assert str(folder) in str(failed.value)
    assert contents() == files
    assert json.loads((folder / "run.json").read_text())["seed"] == 5
    train(resumed(folder.with_name("moved")), registry, resume=True)


def test_a_disk_that_does_not_answer_for_a_while_ends_no_run(run, folder, registry, monkeypatch):
    really_stat = os.stat
    names = (str(folder / "run.json"), str(folder / ".running.lock"))

    def fail(path, *args, **options):
        if os.fspath(path) in names and not is_healed:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return really_stat(path, *args, **options)

    is_healed = []
    registry = load_registry()
    registry.load("begin", lambda: Vandal(2, lambda: monkeypatch.setattr("os.stat", fail)))
    registry.load("end", lambda: Vandal(8, lambda: is_healed.append(True)))
    train(run, registry)
    assert is_healed
    assert_usable(folder, registry)


def test_a_run_json_that_cannot_be_written_again_is_a_failure(run, folder, monkeypatch):
    def refuse(path, content):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    def change():
        delete_run_file(folder)
        monkeypatch.setattr("gankit.training.run_folder.folder.write_atomically", refuse)

    with pytest.raises(RunFailed, match=r"run\.json") as failed:
        train_with(run, 12, change)
    assert failed.value.exit_code == 1


def test_a_stopped_run_that_is_deleted_is_saved_again(run, folder, registry):
    stop = Stop()

    plugins = load_registry()
    plugins.load("stop", lambda: Vandal(6, lambda: stop.request(15)))
    plugins.load("end", lambda: Vandal(12, lambda: delete(folder)))
    with pytest.raises(RunStopped):
        train(run, plugins, stop=stop)
    assert gankit.load(folder).step >= 6
    train(resumed(folder), registry, resume=True)


def test_a_run_that_was_deleted_can_be_measured(run, folder, registry):
    train_with(run, 12, lambda: delete(folder))
    (swd,) = gankit.evaluate(folder, metrics=["swd"], samples=20, registry=registry)
    assert swd.metric == "swd"


def test_without_a_change_nothing_is_said(run, folder, caplog, registry):
    train(run, registry)
    assert "deleted" not in caplog.text
    assert not list(folder.glob(".*"))
