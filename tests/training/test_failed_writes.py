"""Writes that fail for a while do not end a run: it warns, tries again, and loses nothing."""

import contextlib
import errno
import io
import json
import os
import shutil
import sys
from types import SimpleNamespace

import pytest

from gankit import GankitError, compose, hookimpl, train
from gankit.cli.run.from_options import resumed
from gankit.core.errors import RunFailed, RunStopped
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.stop import Stop
from gankit.runs.log import append_rows, read_rows
from gankit.training.checkpoints import checkpoint
from gankit.training.observers import Observers

SETTINGS = {"length": "24 steps", "log_every": 2, "draw_every": 4, "save_every": 4, "keep": 9}
ERRORS = [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO]


class FailingDisk:
    """While `error` is set, files in the folder cannot be opened for writing."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.error = 0
        self.only = ""  # the start of the names that fail; empty: all
        really_open = io.open

        def open_or_fail(file, mode="r", *args, **options):
            name = "" if isinstance(file, int) else os.fsdecode(file)
            is_below = name.startswith(f"{folder}{os.sep}{self.only}")
            if self.error and is_below and set(mode) & set("wax+"):
                raise OSError(self.error, os.strerror(self.error), name)
            return really_open(file, mode, *args, **options)

        monkeypatch.setattr(io, "open", open_or_fail)
        monkeypatch.setattr("builtins.open", open_or_fail)
        monkeypatch.setattr("gankit.core.files.atomic_write.time.sleep", lambda seconds: None)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    return FailingDisk(tmp_path / "run", monkeypatch)


@pytest.fixture
def run_of(tiny, registry, disk):
    return lambda **more: compose(registry, **tiny(**SETTINGS, **more), out=str(disk.folder))


def registry_with(events):
    """The usual plugins, and one that calls `events[step]` once a step is logged."""

    class Watch:
        @hookimpl
        def step_done(self, step):
            events.get(step, lambda: None)()

    registry = load_registry()
    assert not registry.load("watch", Watch).error
    return registry


def logged_steps(folder):
    return [int(row["step"]) for row in read_rows(folder)]


def grids(folder):
    return sorted(path.stem for path in (folder / "samples").iterdir())


def saved_steps(folder):
    paths = checkpoint.list_checkpoints(folder / "checkpoints")
    return sorted(map(checkpoint.step_of, paths))


def lines_about(caplog, *words):
    """The warnings in which all of the words occur."""
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    return [line for line in lines if all(word in line for word in words)]


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_what_failed_for_a_while_is_complete_in_the_end(run_of, disk, error, caplog):
    during = []

    def fail():
        disk.error = error

    def heal():
        during.append(saved_steps(disk.folder))
        disk.error = 0

    train(run_of(), registry_with({5 + 1: fail, 14: heal}))
    assert logged_steps(disk.folder) == list(range(2, 25, 2))
    assert grids(disk.folder) == [f"{step:06d}" for step in range(0, 25, 4)]
    assert saved_steps(disk.folder) == [4, 16, 20, 24]
    assert during == [[4]]  # earlier checkpoints are kept
    assert (disk.folder / "progress.mp4").stat().st_size
    for name in ("log.csv", "samples", "checkpoint"):
        failed, works_again = lines_about(caplog, name)  # each once, not each time
        assert os.strerror(error) in failed
        assert "again" in works_again
    assert ("free disk space" in caplog.text) == (error == errno.ENOSPC)
    assert not list(disk.folder.rglob(".*"))


def test_a_run_that_failed_for_a_while_trains_the_same(run_of, disk, caplog, tmp_path):
    def change(error):
        disk.error = error

    folder = train(run_of(), registry_with({6: lambda: change(5), 14: lambda: change(0)}))
    failed_weights = checkpoint.load(folder / "checkpoints" / "step-000024").model
    shutil.rmtree(folder)
    train(run_of(), registry_with({}))
    weights = checkpoint.load(folder / "checkpoints" / "step-000024").model
    for player in ("G", "D"):
        for name, tensor in weights[player].items():
            assert tensor.equal(failed_weights[player][name])


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EACCES])
def test_a_failure_at_the_end_is_an_error_and_the_earlier_checkpoint_stays(
    run_of, disk, error, caplog
):
    def fail():
        disk.error = error

    with pytest.raises(RunFailed) as failed:
        train(run_of(), registry_with({10: fail}))
    disk.error = 0
    assert failed.value.exit_code == 1
    assert "\n" not in str(failed.value)
    for fact in ("step 24", os.strerror(error), "step-000008", f"--resume {disk.folder}"):
        assert fact in str(failed.value)
    assert saved_steps(disk.folder) == [4, 8]
    assert lines_about(caplog, "log.csv", "8 rows")  # 10 to 24: gankit writes after other plugins
    train(resumed(disk.folder), load_registry(), resume=True)
    assert logged_steps(disk.folder) == list(range(2, 25, 2))


def test_stopping_while_nothing_can_be_saved_is_an_error(run_of, disk):
    stop = Stop()

    def fail_and_stop():
        disk.error = errno.ENOSPC
        stop.request(15)

    with pytest.raises(RunFailed) as failed:
        train(run_of(), registry_with({6: fail_and_stop}), stop=stop)
    assert not isinstance(failed.value, RunStopped)
    assert "step-000004" in str(failed.value)


def test_a_log_that_another_program_holds_is_written_after_a_resume(run_of, disk, caplog):
    stop = Stop()
    with pytest.raises(RunStopped):
        train(run_of(), registry_with({10: lambda: stop.request(2)}), stop=stop)
    disk.error = errno.EACCES
    disk.only = ".log.csv"  # as when it cannot be replaced

    def heal():
        disk.error = 0

    train(resumed(disk.folder), registry_with({16: heal}), resume=True)
    assert logged_steps(disk.folder) == list(range(2, 25, 2))
    failed, _ = lines_about(caplog, "log.csv")
    assert "other programs" in failed


def test_a_deleted_folder_is_made_again_and_can_be_resumed(run_of, disk, caplog):
    def delete():
        shutil.rmtree(disk.folder)

    before = train(run_of(), registry_with({10: delete}))
    assert saved_steps(before) == [12, 16, 20, 24]
    assert logged_steps(before) == list(range(10, 25, 2))
    assert len(lines_about(caplog, "run.json", "deleted")) == 1
    assert resumed(before).steps == 24
    assert json.loads((before / "run.json").read_text())["prepared"]["pictures"] == 64


def test_a_video_that_cannot_be_written_can_be_drawn_later(run_of, disk, caplog, monkeypatch):
    def refuse(frames, path, fps, provenance):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("gankit.runs.video.write_video", refuse)
    train(run_of(), registry_with({}))
    (line,) = lines_about(caplog, "progress.mp4")
    assert "Permission denied" in line
    assert f"gankit sample {disk.folder} --history" in line


def test_measurements_that_could_not_be_written_are_written_later(run_of, disk, caplog):
    run = run_of(metrics=["swd"], measure_every=4)
    disk.only = ".metrics"

    def fail():
        disk.error = errno.ENOSPC

    def heal():
        disk.error = 0

    train(run, registry_with({6: fail, 18: heal}))
    rows = json.loads((disk.folder / "metrics.json").read_text())
    assert [row["step"] for row in rows] == [4, 8, 12, 16, 20, 24]
    assert len(lines_about(caplog, "No space left", "metrics.json")) == 1


def test_tensorboard_gets_all_numbers(run_of, disk, caplog, capfd):
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    disk.only = "tensorboard"

    def fail():
        disk.error = errno.ENOSPC

    def heal():
        disk.error = 0

    train(run_of(tensorboard=True), registry_with({6: fail, 14: heal}))
    events = reading.EventAccumulator(str(disk.folder / "tensorboard"))
    events.Reload()
    assert sorted({event.step for event in events.Scalars("d_loss")}) == list(range(2, 25, 2))
    assert "Traceback" not in capfd.readouterr().err  # of TensorBoard's own thread
    failed, works_again = lines_about(caplog, str(disk.folder / "tensorboard"))
    assert "No space left" in failed
    assert "again" in works_again


# ---------------------------------------------------------------- rows of the log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for a file's size")
def test_a_row_is_written_whole_or_not_at_all(tmp_path):
    import resource

    names = ["step", "d_loss"]
    append_rows(tmp_path, names, [{"step": 2, "d_loss": 0.5}])
    before = (tmp_path / "log.csv").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(OSError, match="space|large"):
            append_rows(tmp_path, names, [{"step": 4, "d_loss": 0.123456789}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "log.csv").read_bytes() == before == b"step,d_loss\n2,0.5\n"


def test_a_log_that_cannot_be_read_is_not_taken_for_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "log.csv").mkdir()
    with pytest.raises(GankitError, match=r"log\.csv"):
        read_rows(tmp_path, missing_ok=True)


# ---------------------------------------------------------------- observers


def observers_of(name, observer, distribution):
    registry = Registry()
    assert not registry.load(name, lambda: observer, distribution).error
    return Observers(registry, Stop())


class Fragile:
    """An observer that raises at the steps in `fails_at`, and counts its other steps."""

    def __init__(self, fails_at):
        self.fails_at = fails_at
        self.steps = []

    @hookimpl
    def step_done(self, step):
        if step in self.fails_at:
            raise ValueError(f"step {step}")
        self.steps.append(step)


@pytest.mark.parametrize(
    ("distribution", "steps", "num_lines"),
    [
        (SimpleNamespace(name="gankit"), [1, 4, 5], 2),
        (SimpleNamespace(name="foreign"), [1], 1),
        (None, [1], 1),
    ],
)
def test_only_observers_of_others_are_ignored_after_an_error(
    distribution, steps, num_lines, caplog
):
    fragile = Fragile(fails_at={2, 3})
    observers = observers_of("fragile", fragile, distribution)
    for step in range(1, 6):
        observers.notify("step_done", step=step, run=None, scalars={})
    assert fragile.steps == steps
    lines = lines_about(caplog, "'fragile'", "step_done")
    assert len(lines) == num_lines
    assert "ValueError in test_failed_writes.py, line " in lines[0]
    assert lines[0].endswith("step 2")


class FullOutput(io.StringIO):
    """A file on a full disk: `gankit run > log.txt`."""

    is_full = True

    def write(self, text):
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_an_output_that_is_full_for_a_while_gets_the_later_lines(run_of, disk, monkeypatch, caplog):
    output = FullOutput()
    monkeypatch.setattr("gankit.cli.console.plain.MIN_SECONDS_BETWEEN_LINES", 0)

    def heal():
        output.is_full = False

    with contextlib.redirect_stdout(output):
        train(run_of(), registry_with({14: heal}))
    assert "step 16/24" in output.getvalue()
    assert "step 24/24" in output.getvalue()
    assert len(lines_about(caplog, "the output")) == 2
