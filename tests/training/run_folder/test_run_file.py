"""run.json: a run is written and read again."""

import dataclasses
import json

import pytest

import gankit
from gankit import GankitError
from gankit.core.run.settings import Run
from gankit.training.run_folder.run_file import load_run, read_run, write_run

PARTS = {
    "dataset": "petals",
    "model": "dcgan64",
    "generator": "dcgan",
    "discriminator": "dcgan",
    "loss": "hinge",
}


def test_a_run_is_written_and_read(tmp_path):
    run = Run(
        **PARTS,
        data=("a b", "c"),
        tricks=("ema:decay=0.9", "r1"),
        lr_g=1e-5,
        tensorboard=True,
        seed=2**40,
        out=str(tmp_path),
    )
    write_run(run, versions={"gankit": "0"}, prepared={"pictures": 3})
    assert Run(**read_run(tmp_path / "run.json")) == run
    assert Run(**read_run(tmp_path)) == run
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert record["command"] == gankit.command_line(run)
    assert record["prepared"] == {"pictures": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_run_json_has_all_settings_and_facts_about_the_run(trained):
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    for field in dataclasses.fields(Run):
        assert field.name in record
    assert record["steps"] == 8
    assert record["device"] == "cpu"
    assert record["threads"] >= 1
    assert {"gankit", "torch"} <= set(record["versions"])
    assert record["prepared"]["pictures"] == 64
    assert record["prepared"]["skipped"] == []
    assert record["fingerprint"]


def write_old_run(folder, device, memory_format, command):
    """A run.json whose memory format was resolved, with the command that started the run."""
    write_run(Run(**PARTS, device=device, memory_format=memory_format, out=str(folder)))
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "command": command}))


def test_an_old_run_on_mps_goes_on_with_contiguous_memory_and_says_so(tmp_path, caplog):
    """Until gankit 0.2, every run got channels-last, in which batch norm is wrong on MPS."""
    write_old_run(tmp_path, "mps", "channels-last", "gankit run --steps 4")
    assert load_run(tmp_path).memory_format == "auto"
    assert "contiguous" in caplog.text
    caplog.clear()
    assert load_run(tmp_path, device="cpu").memory_format == "auto"  # as for sampling
    assert caplog.text == ""


@pytest.mark.parametrize("device", ["cpu", "cuda:0", "mps"])
def test_the_memory_format_that_was_requested_is_kept(device, tmp_path, caplog):
    for memory_format in ("channels-last", "contiguous"):
        command = f"gankit run --memory-format {memory_format} --steps 4"
        write_old_run(tmp_path, device, memory_format, command)
        assert load_run(tmp_path).memory_format == memory_format
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("device", "usual", "other"),
    [("cpu", "channels-last", "contiguous"), ("mps", "contiguous", "channels-last")],
)
def test_a_command_names_only_an_unusual_memory_format(device, usual, other):
    run = Run(**PARTS, device=device, memory_format=usual)
    assert "--memory-format" not in gankit.command_line(run)
    run = dataclasses.replace(run, memory_format=other)
    assert f"--memory-format {other}" in gankit.command_line(run)


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (None, "No such file"),
        ("", "run.json"),
        ("{", "run.json"),
        ("3", "run.json"),
        ("[1, 2]", "run.json"),
        ("\0\xff", "run.json"),
        ('{"batchsize": 8}', "'batch_size'"),
        ('{"seed": 1, "batchsize": 8}', "'batch_size'"),
        ('{"epoch": 8, "wandb": true}', "is not a run.json"),
        ('{"seed": "one"}', "--seed"),
        ('{"dataset": 3}', "--dataset"),
        ('{"data": [["a"], 2], "seed": null}', "--data"),
        ('{"data": 5}', "--data"),
    ],
)
def test_a_file_that_is_not_a_run(tmp_path, content, fact):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(GankitError) as error:
        read_run(path)
    assert fact in str(error.value)
    assert str(path) in str(error.value)
