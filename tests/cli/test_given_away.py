"""What a run, a race and a page tell about you when you give them away: not your home folder."""

import json
import shlex
import socket

import numpy as np
import pytest
from PIL import Image

TINY = (
    "--model dcgan64:base_channels=4 --image-size 16 --batch-size 8 --steps 2 --log-every 1 "
    "--device cpu --precision 32 --threads 1"
)
WORDS = TINY.split()
MEASURE = ("--metric", "swd", "--samples", 20)
NAME = "alice-of-the-tests"


@pytest.fixture
def home(tmp_path, monkeypatch, gankit_cli):
    """The home folder of somebody, with a project folder that is the working directory."""
    home = tmp_path / NAME
    project = home / "project"
    project.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))  # Windows
    monkeypatch.chdir(project)
    random = np.random.default_rng(0)
    for folder in (project / "cats", home / "far" / "dogs", tmp_path / "disk" / "cats"):
        folder.mkdir(parents=True)
        for index in range(44):
            pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{index:02d}.png")
        (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    return home


def files_that_name(folder, name):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    found = [path for path in files if name.encode() in path.read_bytes() or name in path.name]
    return [str(path.relative_to(folder)) for path in found]


def run_json(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("typed", ["relative", "absolute"])
def test_a_run_does_not_name_your_home(home, gankit_cli, typed):
    project = home / "project"
    start = project if typed == "absolute" else ""
    data = ("--data", project / "cats", "--data", home / "far" / "dogs")
    out = project / "runs" / "a" if start else "runs/a"
    if not start:
        data = ("--data", "cats", "--data", "../far/dogs")
    words = (*WORDS, "--metric", "memorising", "--holdout", 0.3, "--tensorboard")
    assert gankit_cli("run", *data, *words, "--out", out).code == 0
    assert gankit_cli("evaluate", out, *MEASURE).code == 0
    assert gankit_cli("sample", out, "--loop", "--count", 2).code == 0
    assert files_that_name(project / "runs", NAME) == []
    assert run_json(project / "runs" / "a")["prepared"]["skipped"]


def test_names_of_files_do_not_hold_the_name_of_the_computer(home, gankit_cli, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "computer-of-the-tests")
    words = ("--data", "cats", *WORDS, "--tensorboard", "--out", "a")
    assert gankit_cli("run", *words).code == 0
    names = [path.name for path in (home / "project" / "a" / "tensorboard").iterdir()]
    assert all(name.startswith("events.out.tfevents.") for name in names)
    assert not any("computer-of-the-tests" in name for name in names)


@pytest.mark.parametrize(
    ("data", "recorded", "in_command"),
    [
        ("cats", "../../cats", "cats"),
        ("{home}/project/cats", "../../cats", "cats"),
        ("{home}/far/dogs", "~/far/dogs", "~/far/dogs"),
        ("~/far/dogs", "~/far/dogs", "~/far/dogs"),
        ("{disk}/cats", "{disk}/cats", "{disk}/cats"),
    ],
)
def test_paths_in_run_json(home, gankit_cli, monkeypatch, data, recorded, in_command):
    disk = home.parent / "disk"

    def filled(text):
        return text.format(home=home, disk=disk)

    # as on most systems, where other disks are not below a common folder of yours
    monkeypatch.setattr("gankit.core.files.portable_path.SHARED_PARTS", len(disk.parts))
    assert gankit_cli("run", "--data", filled(data), *WORDS, "--out", "runs/a").code == 0
    record = run_json(home / "project" / "runs" / "a")
    assert record["data"] == [filled(recorded)]
    words = shlex.split(record["command"])
    assert words[words.index("--data") + 1] == filled(in_command)
    assert gankit_cli(*words[1:], "--out", "runs/b").code == 0
    first, second = (run_json(home / "project" / "runs" / name) for name in "ab")
    assert first["fingerprint"] == second["fingerprint"]


def test_a_resume_from_elsewhere_keeps_the_command(home, gankit_cli, monkeypatch):
    run = home / "project" / "runs" / "a"
    assert gankit_cli("run", "--data", "cats", *WORDS, "--out", run).code == 0
    command = run_json(run)["command"]
    for folder in (home, home.parent):
        monkeypatch.chdir(folder)
        assert gankit_cli("run", "--resume", run).code == 0
        assert run_json(run)["command"] == command
        assert files_that_name(run, NAME) == []


def test_a_race_and_a_comparison_do_not_name_your_home(home, gankit_cli):
    project = home / "project"
    vary = f"data={project / 'cats'},{home / 'far' / 'dogs'}"
    race = project / "races" / "a"
    words = (*WORDS, "--vary", vary, "--seeds", 1, *MEASURE, "--out", race)
    assert gankit_cli("race", *words).code == 0
    runs = sorted(path.parent for path in race.rglob("run.json"))
    assert gankit_cli("compare", *runs, *MEASURE, "--out", project / "races" / "b").code == 0
    assert files_that_name(project / "races", NAME) == []
    command = json.loads((race / "race.json").read_text(encoding="utf-8"))["command"]
    words = shlex.split(command)[1:]
    assert gankit_cli(*words, "--dry-run").code == 0


def test_the_page_of_a_data_check_does_not_name_your_home(home, gankit_cli):
    paths = (home / "project" / "cats", home / "far" / "dogs")
    assert gankit_cli("data", "check", *paths, "--page", "pages.html").code == 0
    page = (home / "project" / "pages.html").read_text(encoding="utf-8")
    assert "~/project/cats" in page
    assert NAME not in page
