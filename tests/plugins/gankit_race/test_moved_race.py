"""Races whose folder or pictures were moved, and paths that are not a race."""

import json

import numpy as np
import pytest
from PIL import Image

import gankit
from gankit import GankitError

WORDS = (
    "race --model dcgan64:base_channels=4 --image-size 16 --batch-size 8 --steps 2 --device cpu "
    "--precision 32 --threads 1 --vary trick=none,ema --samples 20 --metric swd --out races/a"
)
RESUME = ("race", "--resume", "races/a", "--seeds", 2)


@pytest.fixture(autouse=True)
def no_videos(monkeypatch):
    monkeypatch.setattr("gankit.runs.video.write_video", lambda *args, **named: None)


def draw(folder, seed=0):
    folder.mkdir()
    random = np.random.default_rng(seed)
    for index in range(44):
        pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    return folder


@pytest.fixture
def project(here, monkeypatch, gankit_cli):
    """A folder with pictures in `cats` and a race of one seed in `races/a`."""
    work = here / "work"
    work.mkdir()
    draw(work / "cats")
    monkeypatch.chdir(work)
    assert gankit_cli(*WORDS.split(), "--data", "cats", "--seeds", 1).code == 0
    return work


def recorded(folder):
    """The pictures in the race.json and the run.json files of a race."""
    variants = json.loads((folder / "race.json").read_text())["variants"]
    runs = [json.loads(path.read_text()) for path in sorted(folder.rglob("run.json"))]
    return [variant["run"]["data"] for variant in variants], [run["data"] for run in runs]


def test_a_moved_project_is_resumed_from_any_folder(project, gankit_cli, monkeypatch):
    moved = project.rename(project.parent / "moved")
    monkeypatch.chdir(moved.parent)
    race = moved / "races" / "a" / "race.json"
    assert gankit_cli("race", "--resume", race, "--seeds", 2).code == 0
    assert len(list(race.parent.rglob("run.json"))) == 4
    assert gankit_cli("compare", race, "--metric", "swd", "--samples", 20).code == 0


def test_moved_pictures_are_given_with_data(project, gankit_cli):
    (project / "cats").rename(project / "kittens")
    code, _, err = gankit_cli(*RESUME)
    assert code == 2
    for fact in ("races/a", "cats", "--data"):
        assert fact in err
    measure = ("--metric", "swd", "--samples", 20)
    assert gankit_cli("compare", "races/a", *measure).code == 2
    assert gankit_cli("compare", "races/a", *measure, "--data", "kittens").code == 0
    assert gankit_cli(*RESUME, "--data", "kittens").code == 0
    of_race, of_runs = recorded(project / "races" / "a")
    assert of_race == [["../../kittens"]] * 2
    assert of_runs == [["../../../../kittens"]] * 4
    assert gankit_cli("evaluate", "races/a/ema/seed-0", *measure).code == 0


def test_other_pictures_are_refused(project, gankit_cli):
    draw(project / "dogs", seed=1)
    before = (project / "races/a/race.json").read_text()
    code, _, err = gankit_cli(*RESUME, "--data", "dogs")
    assert code == 2
    for fact in ("dogs", "races/a"):
        assert fact in err
    assert (project / "races/a/race.json").read_text() == before


def test_from_python(project):
    (project / "cats").rename(project / "kittens")
    gankit.race(resume="races/a", data="kittens")
    assert recorded(project / "races" / "a")[0] == [["../../kittens"]] * 2
    gankit.compare("races/a", metrics=["swd"], samples=20, data="kittens")


def test_the_plan_of_an_older_race_is_read(project, gankit_cli):
    path = project / "races" / "a" / "race.json"
    record = json.loads(path.read_text())
    del record["begun_in"]
    for variant in record["variants"]:
        variant["run"]["data"] = ["cats"]
    path.write_text(json.dumps(record))
    assert gankit_cli(*RESUME).code == 0


def test_a_race_on_several_sets_takes_no_data(project, gankit_cli):
    draw(project / "dogs", seed=1)
    words = WORDS.replace("trick=none,ema", "data=cats,dogs").replace("races/a", "races/b").split()
    assert gankit_cli(*words, "--seeds", 1).code == 0
    code, _, err = gankit_cli("race", "--resume", "races/b", "--data", "cats")
    assert code == 2
    for fact in ("--data", "cats", "dogs"):
        assert fact in err


def test_the_same_pictures_at_two_places_are_one_set(project, gankit_cli):
    """Variants differ in their tricks, not in where copies of their pictures lie."""
    run = "run --model dcgan64:base_channels=4 --image-size 16 --batch-size 8 --steps 2"
    draw(project / "copies")
    for trick, data in (("none", "cats"), ("ema", "copies")):
        words = (*run.split(), "--trick", trick, "--data", data, "--out", f"runs/{trick}")
        assert gankit_cli(*words, "--device", "cpu", "--precision", 32).code == 0
    words = ("runs/none", "runs/ema", "--metric", "swd", "--samples", 20, "--out", "c")
    assert gankit_cli("compare", *words).code == 0
    results = json.loads((project / "c" / "results.json").read_text())
    assert [run["variant"] for run in results["runs"]] == ["no trick", "ema"]


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ("races/a/ema", ("give races/a",)),
        ("races/a/ema/seed-0", ("give races/a",)),
        ("races/a/race.html", ("give races/a",)),
        ("races", ("races/a", "race.json")),
        ("races/b", ("there is no race",)),
        ("cats", ("race.json",)),
        ("copy", ("gankit run --resume copy",)),
    ],
)
def test_what_is_not_a_race_is_explained(project, gankit_cli, given, facts):
    (project / "races/a/ema/seed-0").rename(project / "copy")
    (project / "races/a/ema/seed-0").mkdir()
    code, out, err = gankit_cli("race", "--resume", given)
    assert (code, out) == (2, "")
    for fact in (given, *facts):
        assert fact in err
    with pytest.raises(GankitError):
        gankit.race(resume=given)
