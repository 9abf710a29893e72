"""What you give as a run: the run is found, or the message says what it is and what to give."""

import json
import os
import shutil
from pathlib import Path

import pytest

import gankit
from gankit import GankitError
from gankit.training.run_folder.find_run import find_run

COMMANDS = {
    "run --resume {}": "",
    "run --config {}": "",
    "sample {}": "--checkpoint 8",
    "evaluate {}": "--checkpoint 8",
    "compare {} {}": "",
}
# what is given: what the message names
NOT_RUNS = {
    "runs/a/checkpoints/step-000008": ("checkpoint", "runs/a"),
    "runs/a/checkpoints/step-000700": ("checkpoint", "runs/a"),
    "runs/a/checkpoints": ("give runs/a",),
    "runs/a/samples": ("give runs/a",),
    "runs": ("2 runs", "runs/b"),  # the newest
    ".": ("2 runs", "runs/b"),
    "runs/c": ("there is no run", "runs/c"),
    "nowhere/c": ("there is no run", "nowhere/c"),
    "a": ("runs/a",),  # without the folder of all runs
    "latest": ("runs/a", "runs/b"),
    "pictures": ("pictures", "run.json"),
    "step-000008": ("checkpoint", "run.json"),
    "other-tool": ("other-tool", "run.json"),
}
# The same, but files, which --config would read as JSON.
NOT_RUNS_BUT_FILES = {
    "runs/a/checkpoints/step-000008/model.safetensors": ("checkpoint", "runs/a"),
    "runs/a/samples/000002.png": ("give runs/a",),
    "runs/a/log.csv": ("give runs/a",),
    "netG.pth": ("weights", "gankit import netG.pth", "run.json"),
    "best.ckpt": ("weights", "run.json"),
    "G_EMA.SAFETENSORS": ("weights", "run.json"),
    "network-snapshot.pkl": ("weights", "run.json"),
    "step-000008/model.safetensors": ("checkpoint", "run.json"),
    "run.zip": ("archive", "run.json"),
    "run.tar.gz": ("archive", "run.json"),
    "notes.txt": ("notes.txt", "run.json"),
    "pictures/00.jpg": ("pictures/00.jpg", "run.json"),
}
CASES = [
    (command, given)
    for command in COMMANDS
    for given in {**NOT_RUNS, **NOT_RUNS_BUT_FILES}
    if given in NOT_RUNS or "--config" not in command
]


@pytest.fixture
def folder(trained, here, pictures_folder):
    """The working directory, with two runs and with things that are no runs."""
    for name in "ab":
        shutil.copytree(trained, here / "runs" / name)
    os.utime(here / "runs" / "a" / "run.json", (0, 0))  # long ago
    shutil.copytree(here / "runs/a/checkpoints/step-000008", here / "step-000008")
    (here / "other-tool").mkdir()
    (here / "other-tool" / "training_options.json").write_text("{}")
    for name in NOT_RUNS_BUT_FILES:
        if "/" not in name:
            (here / name).write_bytes(b"PK\3\4 not read")
    return here


@pytest.mark.parametrize(("command", "given"), CASES, ids=[" ".join(case) for case in CASES])
def test_what_is_not_a_run_is_explained(folder, gankit_cli, command, given):
    code, out, err = gankit_cli(*command.replace("{}", given).split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for fact in (given, *{**NOT_RUNS, **NOT_RUNS_BUT_FILES}[given]):
        assert fact in err
    is_checkpoint = given.startswith("runs/a/checkpoints/step-000008")
    assert not is_checkpoint or COMMANDS[command] in err


@pytest.mark.parametrize("given", ["runs/a", "runs/a/", "runs/a/run.json", "runs/../runs/a"])
def test_a_run_is_found(folder, given):
    assert find_run(given).samefile("runs/a")
    assert find_run(Path(given)).samefile("runs/a")
    assert find_run(folder / given).samefile("runs/a")


def test_a_run_is_found_below_your_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert find_run("~/runs/a").samefile("runs/a")


def test_every_command_takes_the_run_json_of_a_run(folder, gankit_cli):
    run = "runs/a/run.json"
    assert gankit_cli("sample", run) == (0, f"{Path('runs/a/grid-0.png')}\n", "")
    assert gankit_cli("run", "--resume", run).code == 0
    assert gankit_cli("evaluate", run, "--metric", "swd", "--samples", 20).code == 0
    assert gankit.load(run).step == 8
    assert gankit.load_run(run).steps == 8


def test_inside_a_run_the_run_is_named(folder, gankit_cli, monkeypatch):
    monkeypatch.chdir(folder / "runs" / "a" / "checkpoints")
    code, _, err = gankit_cli("sample", "step-000008")
    assert code == 2
    for fact in (str(folder / "runs" / "a"), "--checkpoint 8"):
        assert fact in err


def test_from_python_the_argument_is_named(folder):
    with pytest.raises(GankitError, match="runs/a and step=8"):
        gankit.load("runs/a/checkpoints/step-000008")
    with pytest.raises(GankitError, match="runs/a and checkpoint=8"):
        gankit.evaluate("runs/a/checkpoints/step-000008")


@pytest.mark.parametrize("address", ["https://example.org/ann/gan", "hf://ann/gan", "s3://b/r"])
def test_an_address_is_not_a_run(folder, gankit_cli, address):
    for command in ("run --resume", "sample", "evaluate"):
        code, _, err = gankit_cli(*command.split(), address)
        assert code == 2
        assert "address" in err
        assert "download" in err


def test_a_race_is_not_a_run(folder, gankit_cli):
    (folder / "runs" / "race.json").write_text(json.dumps({}))
    code, _, err = gankit_cli("run", "--resume", "runs")
    assert code == 2
    assert "gankit race --resume runs" in err
