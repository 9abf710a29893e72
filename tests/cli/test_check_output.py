"""A place that cannot be written is an error before the work, not after it."""

import errno
import os
from pathlib import Path

import pytest
from gankit_metrics import evaluate as evaluation

from gankit.core.files import atomic_write

LONG = "x" * 301


@pytest.fixture
def read_only(monkeypatch):
    """`read_only(folder)`: no file can be created in it, as on a read-only disk, also for root."""
    folders = set()
    opened = Path.open

    def refuse(path, mode="r", *args, **options):
        if "x" in mode and path.parent in folders:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    return folders.add


@pytest.fixture
def no_work(monkeypatch):
    """Fail if a command begins with its work."""

    def work(*args, **options):
        raise AssertionError("it has begun")

    monkeypatch.setattr("gankit.runs.sampler.load", work)
    monkeypatch.setattr("gankit_datacheck.check.examine", work)
    monkeypatch.setattr("gankit.training.train.train", work)
    monkeypatch.setattr("gankit.cli.run.preview.write_preview", work)
    monkeypatch.setattr("gankit_race.plan.make_plan", work)
    monkeypatch.setattr("gankit_race.comparing.compare_folders", work)


@pytest.mark.parametrize("name", ["full/result", LONG, f"{LONG}/result"])
@pytest.mark.parametrize(
    ("words", "ending", "option"),
    [
        ("sample RUN --out", ".png", "--out"),
        ("sample RUN --files --out", "", "--out"),
        ("data check RUN --page", ".html", "--page"),
        ("run --preview", ".png", "another .png"),
        ("run --out", "", "--out"),
        ("race --vary seed=1,2 --out", "", "--out"),
        ("compare RUN RUN --out", "", "--out"),
    ],
)
def test_a_place_is_tried_first(
    gankit_cli, trained, here, read_only, no_work, words, ending, option, name
):
    (here / "full").mkdir()
    read_only(here / "full")
    argv = [trained if word == "RUN" else word for word in words.split()]
    done = gankit_cli(*argv, here / f"{name}{ending}")
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert option in done.err


def test_a_run_that_cannot_be_written_is_measured(gankit_cli, trained, read_only, monkeypatch):
    read_only(trained)
    warned = []
    measure = evaluation.measure_all
    monkeypatch.setattr(evaluation.log, "warning", lambda *args: warned.append(args))

    def measured(*args, **options):
        assert len(warned) == 1  # before, not after
        return measure(*args, **options)

    monkeypatch.setattr(evaluation, "measure_all", measured)
    for options in ((), ("--json",)):
        warned.clear()
        done = gankit_cli("evaluate", trained, "--metric", "swd", "--samples", "40", *options)
        assert done.code == 0
        assert "swd" in done.out
        assert len(warned) == 1
    assert not (trained / "metrics.json").exists()


def test_trying_changes_nothing(tmp_path):
    (tmp_path / "old").write_text("old")
    atomic_write.try_to_create(tmp_path / "old")
    atomic_write.try_to_create(tmp_path)
    atomic_write.try_to_create(tmp_path / "new" / "deeper" / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "old"
