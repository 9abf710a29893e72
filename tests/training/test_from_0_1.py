"""What gankit 0.1 left on disks goes on working: its runs, its checkpoints, its plugins."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

import gankit
from gankit.cli.run_from_options import resumed
from gankit.core.registry import load_registry
from gankit.training.loop import train
from gankit.training.run_file import load_run

FIXTURES = Path(__file__).parents[1] / "fixtures"
# Sums are rounded in another order on other processors; within 6 steps that stays small.
CLOSE = {"rtol": 1e-3, "atol": 1e-4}


@pytest.fixture
def old_run(here):
    """A copy of a run of 4 steps that 0.1 made, with tricks that have a state of their own."""
    shutil.copytree(FIXTURES / "run-0.1", here / "run")
    return Path("run")


def test_its_pictures_can_be_drawn(old_run):
    picture = np.asarray(gankit.load(old_run).sample(seed=7), dtype=int)
    drawn = np.asarray(Image.open(FIXTURES / "seed-7.png"), dtype=int)
    assert np.abs(picture - drawn).max() <= 1


def test_it_goes_on_as_0_1_would_have(old_run):
    train(resumed(old_run, length="6 steps"), load_registry(), resume=True)
    path = old_run / "checkpoints" / "step-000006" / "model.safetensors"
    ours = safetensors.torch.load_file(path)
    theirs = safetensors.torch.load_file(FIXTURES / "after-6-steps.safetensors")
    before = safetensors.torch.load_file(
        FIXTURES / "run-0.1" / "checkpoints" / "step-000004" / "model.safetensors"
    )
    torch.testing.assert_close(ours, theirs, **CLOSE)
    assert all(not torch.equal(ours[n], before[n]) for n in ours if n.endswith(".weight"))
    logs = [old_run / "log.csv", FIXTURES / "after-6-steps.csv"]
    rows = [list(csv.DictReader(log.read_text().splitlines())) for log in logs]
    for mine, yours in zip(*rows, strict=True):
        assert mine.keys() == yours.keys()
        for column in ("step", "kimg", "d_loss", "g_loss", "penalty", "d_real", "d_fake"):
            assert float(mine[column] or 0) == pytest.approx(float(yours[column] or 0), abs=1e-3)


LAYOUTS = [("channels-last", "fast"), ("contiguous", "plain")]


@pytest.fixture(params=LAYOUTS, ids=[layout for layout, _ in LAYOUTS])
def convolutions(old_run, request):
    """The layers that the old run had: 0.1 chose them by the layout of memory."""
    layout, layers = request.param
    path = old_run / "run.json"
    record = json.loads(path.read_text())
    assert "convolutions" not in record
    path.write_text(json.dumps({**record, "memory_format": layout}))
    return layers


def test_it_keeps_the_layers_that_0_1_gave_it(old_run, convolutions):
    assert load_run(old_run).convolutions == convolutions
    assert resumed(old_run).convolutions == convolutions
    assert load_run(old_run, convolutions="auto").convolutions == "auto"


def test_it_can_be_repeated_from_its_run_json(old_run, gankit_cli, convolutions):
    code, _, err = gankit_cli("run", "--config", "run", "--steps", 1, "--out", "again")
    assert (code, err) == (0, "")
    record = json.loads((Path("again") / "run.json").read_text())
    assert record["convolutions"] == convolutions
    assert f"--convolutions {convolutions}" in record["command"]
    assert (Path("again") / "checkpoints" / "last").read_text() == "step-000001"


def test_a_data_set_that_names_its_builder_as_0_1_did(here, gankit_cli, gankit_run):
    (here / "leaves.py").write_text(
        "from gankit import DatasetSpec, hookimpl\n"
        "@hookimpl\n"
        "def register_datasets(register):\n"
        "    register(DatasetSpec(name='leaves', summary='', source='me',\n"
        "                         build='gankit_data.files:Files'))\n"
    )
    (here / "pictures").mkdir()
    for number in range(8):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(here / "pictures" / f"{number}.png")
    words = ("--dataset", "leaves", "--data", "pictures", "--model", "dcgan64:base_channels=4")
    words += ("--image-size", 16, "--batch-size", 8, "--steps", 1, "--out", "run")
    code, _, err = gankit_cli("-p", "leaves.py", "run", *words)
    assert (code, err) == (0, "")


class LossOf01(gankit.Loss):
    def opinion(self, logits):
        return -logits


def test_what_a_loss_called_opinion_is_its_score():
    assert LossOf01().score(torch.tensor([2.0])).tolist() == [-2.0]
