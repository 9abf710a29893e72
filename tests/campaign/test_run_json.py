"""A run.json from somebody else: each altered one is a run, or one line that says what is wrong."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from gankit.training.loop import TrainingLoop

sys.path.insert(0, str(Path(__file__).parent))
from run_json_mutants import complaints, mutants

COUNT = 240
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")


@pytest.fixture
def untrained(monkeypatch):
    """Runs end before their first step."""
    monkeypatch.setattr(TrainingLoop, "run_to_end", lambda self, *options: None)


def record_of(trained):
    return json.loads((trained / "run.json").read_bytes())


def test_mutants_are_repeatable_and_as_many_as_asked(trained):
    record = record_of(trained)
    first = list(mutants(record, 3, 40))
    assert len(first) == 40
    assert list(mutants(record, 3, 40)) == first
    assert list(mutants(record, 4, 40)) != first
    assert all(isinstance(content, bytes) and what for what, content in first)


def test_a_new_run_from_an_altered_run_json(trained, gankit_cli, here, untrained):
    wrong = {}
    refused = 0
    for number, (what, content) in enumerate(mutants(record_of(trained), 24, COUNT)):
        (here / "run.json").write_bytes(content)
        code, _, err = gankit_cli("run", "--config", "run.json", "--out", f"new-{number}")
        refused += code != 0
        wrong[what] = complaints(code, err)
        shutil.rmtree(here / f"new-{number}", ignore_errors=True)
    assert {what: found for what, found in wrong.items() if found} == {}
    assert COUNT / 2 < refused < COUNT


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--resume", "run", "--steps", "12"),
        ("sample", "run", "--count", "1"),
        ("evaluate", "run", "--samples", "8", "--metric", "swd"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_run_whose_run_json_was_altered(command, trained, gankit_cli, here, untrained):
    wrong = {}
    for what, content in mutants(record_of(trained), 25, COUNT // 3):
        shutil.copytree(trained, here / "run")
        (here / "run" / "run.json").write_bytes(content)
        code, _, err = gankit_cli(*command)
        wrong[what] = complaints(code, err)
        shutil.rmtree(here / "run")
    assert {what: found for what, found in wrong.items() if found} == {}


def replace_by_pipe(path):
    os.mkfifo(path)


def replace_by_endless_file(path):
    path.symlink_to("/dev/zero")


def replace_by_enormous_file(path):
    with path.open("wb") as file:
        file.truncate(5 << 30)


def replace_by_loop(path):
    path.symlink_to(path.name)


@posix
@pytest.mark.parametrize(
    "replace",
    [replace_by_pipe, replace_by_endless_file, replace_by_enormous_file, Path.mkdir],
)
@pytest.mark.parametrize(
    "command",
    ["run --config run/run.json", "run --resume run", "sample run", "evaluate run",
     "race --resume race", "compare run run"],
)  # fmt: skip
def test_only_a_regular_file_of_a_sensible_size_is_read(
    command, replace, trained, gankit_cli, here
):
    shutil.copytree(trained, here / "run")
    (here / "run" / "run.json").unlink()
    (here / "race").mkdir()
    replace(here / "run" / "run.json")
    replace(here / "race" / "race.json")
    code, _, err = gankit_cli(*command.split())
    assert code == 2
    assert err.count("\n") == 1
    assert complaints(code, err) == []
    assert "run.json" in err or "race.json" in err


# What is given, and the option that the message names.
OUT_OF_PROPORTION = {
    "threads": ({"threads": 1_000_000}, "--threads"),
    "pixels": ({"image_size": 2**20}, "--image-size"),
    "pixels of a batch": ({"image_size": 16_384, "batch_size": 64}, "--batch-size"),
    "latents of a batch": ({"latent_dim": 16_384, "batch_size": 10**9}, "--batch-size"),
    "updates of D": ({"d_steps": 10**9}, "--d-steps"),
    "steps": ({"steps": 10**40}, "--steps"),
    "a length": ({"length": "9" * 100 + " steps", "steps": 0}, "is not a run length"),
    "a seed": ({"seed": 10**60}, "--seed"),
    "tricks": ({"tricks": ["r1"] * 10_000}, "--trick"),
    "class folders": ({"classes": ["a"] * 1_000_000}, "--classes"),
    "places": ({"dataset": "folder", "data": ["a"] * 1_000_000}, "--data"),
    "letters": ({"background": "x" * 100_000}, "--background"),
    "letters of a part": ({"loss": "x" * 100_000}, "--loss"),
    "digits of an option": ({"loss": "hinge:m=" + "9" * 1000}, "'m'"),
    "an option": ({"tricks": ["r1:gamma=" + "9" * 100]}, "gamma=999"),
    "channels": ({"generator": "dcgan:base_channels=6000,max_channels=12000"}, "generator"),
    "blocks": ({"generator": "modern:blocks=1000000000"}, "generator"),
    "kernels": ({"tricks": ["minibatch-discrimination:kernels=1000000000"]}, "kernels"),
    "pictures": ({"dataset": "petals:count=1000000000000"}, "pictures"),
    "shards": ({"dataset": "shards", "data": ["s-{000000..299999999}.tar"]}, "300,000,000"),
    "braces": ({"dataset": "shards", "data": ["{a,b}" * 100]}, "--data"),
}  # fmt: skip


@pytest.mark.parametrize("what", OUT_OF_PROPORTION)
def test_what_is_out_of_proportion_is_refused_before_memory_is_needed(
    what, trained, gankit_cli, here, untrained
):
    changes, fact = OUT_OF_PROPORTION[what]
    (here / "run.json").write_text(json.dumps({**record_of(trained), **changes}))
    code, _, err = gankit_cli("run", "--config", "run.json")
    assert code == 2
    assert fact in err
    assert complaints(code, err) == []


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("background", "\x1b]0;title\x07", r"'\x1b]0;title\x07'"),
        ("precision", "a\ngankit: all is well", r"'a\ngankit: all is well'"),
        ("loss", "a\u202egnp", r"'a\u202egnp'"),
        ("device", "\x9b31m", r"'\x9b31m'"),
        ("data", ["a\0b"], r"'a\x00b'"),
        ("classes", ["\ud800"], r"'\ud800'"),
    ],
)
def test_a_value_with_control_characters_is_quoted(
    name, value, shown, trained, gankit_cli, here, untrained
):
    (here / "run.json").write_text(json.dumps({**record_of(trained), name: value}))
    code, _, err = gankit_cli("run", "--config", "run.json")
    assert code == 2
    assert f"--{name}" in err
    assert shown in err
