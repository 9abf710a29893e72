"""Runs, checkpoints and plugins of gankit 0.1 still work."""

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
from gankit.cli.run.from_options import resumed
from gankit.core.parts.registry import load_registry
from gankit.training.run_folder.run_file import load_run
from gankit.training.train import train

FIXTURES = Path(__file__).parents[2] / "fixtures"
# Other processors round sums in another order; within 6 steps the difference stays small.
CLOSE = {"rtol": 1e-3, "atol": 1e-4}


@pytest.fixture
def old_run(here):
    """A copy of a run of 4 steps by gankit 0.1, with tricks that have state."""
    shutil.copytree(FIXTURES / "run-0.1", here / "run")
    return Path("run")


def test_its_pictures_can_be_drawn(old_run):
    picture = np.asarray(gankit.load(old_run).sample(seed=7), dtype=int)
    drawn = np.asarray(Image.open(FIXTURES / "seed-7.png"), dtype=int)
    assert np.abs(picture - drawn).max() <= 1


def test_resumed_it_trains_like_0_1(old_run):
    train(resumed(old_run, length="6 steps"), load_registry(), resume=True)
    path = old_run / "checkpoints" / "step-000006" / "model.safetensors"
    weights = safetensors.torch.load_file(path)
    old_weights = safetensors.torch.load_file(FIXTURES / "after-6-steps.safetensors")
    before = safetensors.torch.load_file(
        FIXTURES / "run-0.1" / "checkpoints" / "step-000004" / "model.safetensors"
    )
    torch.testing.assert_close(weights, old_weights, **CLOSE)
    assert all(not torch.equal(weights[n], before[n]) for n in weights if n.endswith(".weight"))
    logs = [old_run / "log.csv", FIXTURES / "after-6-steps.csv"]
    rows = [list(csv.DictReader(log.read_text().splitlines())) for log in logs]
    for row, old_row in zip(*rows, strict=True):
        assert list(row)[: len(old_row)] == list(old_row)  # then numbers that 0.1 did not log
        for column in ("step", "kimg", "d_loss", "g_loss", "penalty", "d_real", "d_fake"):
            assert float(row[column] or 0) == pytest.approx(float(old_row[column] or 0), abs=1e-3)


LAYOUTS = [("channels-last", "fast"), ("contiguous", "plain")]


@pytest.fixture(params=LAYOUTS, ids=[layout for layout, _ in LAYOUTS])
def convolutions(old_run, request):
    """The layers of the old run: 0.1 chose them by the memory format."""
    layout, layers = request.param
    path = old_run / "run.json"
    record = json.loads(path.read_text())
    assert "convolutions" not in record
    path.write_text(json.dumps({**record, "memory_format": layout}))
    return layers


def test_it_keeps_its_convolution_layers(old_run, convolutions):
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


def test_a_data_set_with_the_builder_of_0_1(here, gankit_cli, gankit_run):
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


def test_opinion_of_a_loss_is_its_score():
    assert LossOf01().score(torch.tensor([2.0])).tolist() == [-2.0]


class MetricOf01(gankit.Metric):
    def words(self, state):
        return f"{state} words"


def test_words_of_a_metric_is_its_description():
    assert MetricOf01().describe(3) == "3 words"
