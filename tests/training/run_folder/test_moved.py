"""Runs and pictures that were moved: resumed and measured from anywhere, with the same pictures."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gankit
from gankit.core.errors import GankitError
from gankit.training.run_folder.run_file import load_run

TINY = (
    "--model dcgan64:base_channels=4 --image-size 16 --batch-size 8 --steps 2 --log-every 1 "
    "--device cpu --precision 32 --threads 1"
)
WORDS = TINY.split()
MEASURE = ("--metric", "swd", "--samples", 20)


@pytest.fixture(autouse=True)
def no_videos(monkeypatch):
    monkeypatch.setattr("gankit.runs.video.write_video", lambda *args, **named: None)


def draw(folder, count=44, seed=0):
    folder.mkdir()
    random = np.random.default_rng(seed)
    for index in range(count):
        pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")


@pytest.fixture
def project(here, monkeypatch, gankit_cli):
    """The working directory, a folder `work` with pictures in `cats` and a run in `runs/a`."""
    work = here / "work"
    work.mkdir()
    draw(work / "cats")
    monkeypatch.chdir(work)
    assert gankit_cli("run", "--data", "cats", *WORDS, "--out", "runs/a").code == 0
    return work


def record_of(run):
    return json.loads((Path(run) / "run.json").read_text(encoding="utf-8"))


def last_step(run):
    return (Path(run) / "checkpoints" / "last").read_text()


def make_old(run, data):
    """Turn a run's run.json into one of gankit 0.1, which names paths as they were typed."""
    record = record_of(run)
    del record["begun_in"]
    (Path(run) / "run.json").write_text(json.dumps({**record, "data": data, "out": "runs/a"}))


@pytest.mark.parametrize("moved", ["nothing", "the project", "only the run", "its name"])
def test_a_run_is_resumed_and_measured_from_any_folder(project, gankit_cli, monkeypatch, moved):
    run = project / "runs" / "a"
    if moved == "the project":
        run = project.rename(project.parent / "moved") / "runs" / "a"
    elif moved == "only the run":
        run = run.rename(project / "best")
    elif moved == "its name":
        run = run.rename(run.with_name("b"))
    (project.parent / "away").mkdir()
    monkeypatch.chdir(project.parent / "away")
    assert gankit_cli("evaluate", run, *MEASURE).code == 0
    code, _, err = gankit_cli("run", "--resume", run, "--steps", 3)
    assert code == 0
    assert "pictures have changed" not in err
    assert last_step(run) == "step-000003"
    assert gankit_cli("sample", run).code == 0


def test_a_run_moved_far_away_finds_its_pictures_from_the_project(project, gankit_cli):
    run = (project / "runs" / "a").rename(project.parent / "backup")
    assert gankit_cli("evaluate", run, *MEASURE).code == 0
    assert gankit_cli("run", "--resume", run, "--steps", 3).code == 0


MISSING_COMMANDS = [
    "run --resume runs/a --steps 3",
    "run --resume runs/a --dry-run",
    "run --resume runs/a --preview seen.png",
    "evaluate runs/a",
]


@pytest.mark.parametrize("how", ["relative", "absolute"])
def test_an_old_run_json_still_works(project, gankit_cli, monkeypatch, how):
    make_old("runs/a", ["cats"] if how == "relative" else [str(project / "cats")])
    assert gankit_cli("evaluate", "runs/a", *MEASURE).code == 0
    monkeypatch.chdir(project.parent)  # where 0.1 did not find pictures of a relative path
    assert gankit_cli("run", "--resume", "work/runs/a", "--steps", 3).code == 0
    assert record_of("work/runs/a")["data"] == ["../../cats"]


@pytest.mark.parametrize("command", MISSING_COMMANDS)
@pytest.mark.parametrize("now", ["missing", "empty"])
def test_missing_pictures_name_their_place_and_the_way_out(project, gankit_cli, command, now):
    (project / "cats").rename(project / "kittens")
    if now == "empty":
        (project / "cats").mkdir()
    code, _, err = gankit_cli(*command.split())
    assert code == 2
    for fact in ("runs/a", "cats", "--data NEW"):
        assert fact in err
    assert err.count("\n") == 1


def test_missing_pictures_of_a_new_run_are_another_error(project, gankit_cli):
    code, _, err = gankit_cli("run", "--data", "nowhere", *WORDS)
    assert code == 2
    assert "nowhere" in err
    assert "moved" not in err


def copied(place, new):
    shutil.copytree(place, new, copy_function=shutil.copy)  # with new times
    return new


def zipped(place, new):
    file = new.with_suffix(".zip")
    with zipfile.ZipFile(file, "w") as archive:
        for picture in place.iterdir():
            archive.write(picture, f"cats/{picture.name}")
    return file


@pytest.mark.parametrize("move", [os.rename, copied, zipped])
def test_moved_pictures_are_given_with_data(project, gankit_cli, move):
    new = move(project / "cats", project.parent / "kittens") or project.parent / "kittens"
    shutil.rmtree(project / "cats", ignore_errors=True)
    fingerprint = record_of("runs/a")["fingerprint"]
    assert gankit_cli("evaluate", "runs/a", *MEASURE, "--data", new).code == 0
    code, _, err = gankit_cli("run", "--resume", "runs/a", "--steps", 3, "--data", new)
    assert code == 0
    assert "pictures have changed" not in err
    record = record_of("runs/a")
    assert record["data"] == [f"../../../{new.name}"]
    assert record["fingerprint"] == fingerprint
    assert gankit_cli("run", "--resume", "runs/a", "--steps", 4).code == 0  # now without --data
    assert last_step("runs/a") == "step-000004"


def test_the_folder_of_an_unpacked_zip_replaces_the_zip(project, gankit_cli):
    archive = zipped(project / "cats", project / "pictures")
    assert gankit_cli("run", "--data", archive, *WORDS, "--out", "runs/b").code == 0
    archive.unlink()
    assert gankit_cli("run", "--resume", "runs/b", "--steps", 3, "--data", "cats").code == 0


def test_several_places_are_given_again_in_their_order(project, gankit_cli):
    draw(project / "dogs", 10, seed=1)
    both = ("--data", "cats", "--data", "dogs")
    assert gankit_cli("run", *both, *WORDS, "--out", "runs/b").code == 0
    (project / "dogs").rename(project / "puppies")
    code, _, err = gankit_cli("run", "--resume", "runs/b", "--steps", 3)
    assert code == 2
    for fact in ("cats", "dogs", "--data", "2"):
        assert fact in err
    command = ("run", "--resume", "runs/b", "--steps", 3)
    assert gankit_cli(*command, "--data", "puppies").code == 2
    assert gankit_cli(*command, "--data", "puppies", "--data", "cats").code == 2
    assert gankit_cli(*command, "--data", "cats", "--data", "puppies").code == 0
    assert record_of("runs/b")["data"] == ["../../cats", "../../puppies"]


@pytest.mark.parametrize("command", ["run --resume runs/a --steps 3", "evaluate runs/a"])
def test_other_pictures_are_refused(project, gankit_cli, command):
    draw(project / "dogs", seed=1)
    before = (project / "runs/a/run.json").read_text()
    code, _, err = gankit_cli(*command.split(), "--data", "dogs")
    assert code == 2
    for fact in ("dogs", "cats", "runs/a", "--config runs/a/run.json --data dogs"):
        assert fact in err
    assert (project / "runs/a/run.json").read_text() == before
    assert last_step("runs/a") == "step-000002"


def test_other_pictures_at_a_likely_place_are_not_trained_on(project, gankit_cli):
    run = (project / "runs" / "a").rename(project.parent / "a")
    shutil.rmtree(project / "cats")
    draw(project / "cats", seed=1)
    assert gankit_cli("run", "--resume", run, "--steps", 3).code == 2


def test_measuring_changed_pictures_is_a_warning(project, gankit_cli):
    (project / "cats" / "00.png").unlink()
    code, _, err = gankit_cli("evaluate", "runs/a", *MEASURE)
    assert code == 0
    assert "pictures have changed" in err


def test_a_data_set_with_own_pictures_takes_no_data(trained, here, gankit_cli):
    (here / "cats").mkdir()
    code, _, err = gankit_cli("evaluate", trained, *MEASURE, "--data", "cats")
    assert code == 2
    for fact in ("'petals", "--data"):
        assert fact in err


def test_from_python(project, registry):
    (project / "cats").rename(project / "kittens")
    with pytest.raises(GankitError, match="data=NEW"):
        gankit.evaluate("runs/a", ["swd"], samples=20)
    assert gankit.evaluate("runs/a", ["swd"], samples=20, data="kittens")[0].samples == 20
    run = load_run("runs/a", data="kittens", length="3 steps")
    gankit.train(run, registry, resume=True)
    assert load_run("runs/a").data == ("kittens",)
    (project / "runs" / "a").rename(project / "b")
    gankit.train(load_run(Path("b"), length="4 steps"), registry, resume=True)
    assert last_step("b") == "step-000004"
    assert not (project / "runs" / "a").exists()


def test_pictures_are_not_prepared_again_from_another_folder(project, gankit_cli, monkeypatch):
    def refuse(*args):
        raise AssertionError("prepared again")

    monkeypatch.setattr("gankit.data.store.prepared_pictures._prepare", refuse)
    monkeypatch.chdir(project.parent)
    assert gankit_cli("run", "--resume", "work/runs/a", "--steps", 3).code == 0


def test_a_config_names_pictures_from_any_folder(project, gankit_cli, monkeypatch):
    monkeypatch.chdir(project.parent)
    assert gankit_cli("run", "--config", "work/runs/a/run.json", "--out", "b").code == 0
    assert record_of("b")["data"] == ["../work/cats"]
