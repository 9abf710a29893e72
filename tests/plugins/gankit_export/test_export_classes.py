"""Exports of a generator with class labels: they take a class, and import says why it does not."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from gankit_export.onnx_file import write_onnx
from gankit_export.torch_files import write_torch
from PIL import Image

from gankit.core.class_labels import labels_in_turn
from gankit.runs.provenance import Provenance
from gankit.runs.sampler import Sampler

NAMES = ("rose", 'it\'s "odd" {name}', "tulip")


@pytest.fixture(scope="module")
def sampler(sampler_of, registry):
    run = sampler_of("dcgan:base_channels=2").run
    run = dataclasses.replace(run, class_labels=True, class_names=NAMES)
    torch.manual_seed(0)
    sizes = {"image_size": 16, "channels": 3, "latent_dim": run.latent_dim, "num_classes": 3}
    net = registry.make("generator", run.generator, **sizes)
    for name, weight in net.named_parameters():
        if ".scale." in name or ".shift." in name:
            torch.nn.init.normal_(weight)
    return Sampler(run, 8, net)


def test_onnx_has_an_input_for_labels_and_the_names(sampler, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    write_onnx(sampler, tmp_path / "netG.onnx", Provenance())
    session = onnxruntime.InferenceSession(tmp_path / "netG.onnx")
    z, labels = sampler.latents([1, 2, 3]), torch.tensor([2, 0, 2])
    (images,) = session.run(["images"], {"z": z.numpy(), "labels": labels.numpy()})
    assert np.abs(images - sampler.images(z, labels).numpy()).max() < 1e-4
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(NAMES)


def test_draw_takes_a_class_by_name_or_the_classes_in_turn(sampler, tmp_path, gankit_cli):
    write_torch(sampler, tmp_path, Provenance())

    def draw(*words):
        command = [sys.executable, tmp_path / "draw.py", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    answer = draw("3", "9", "--class", NAMES[1])
    assert answer.returncode == 0, answer.stderr
    drawn = np.asarray(Image.open(tmp_path / "seed-9-class-1.png"))
    expected = np.asarray(sampler.sample(9, label=NAMES[1]))
    assert np.abs(drawn.astype(int) - expected).max() <= 1
    assert draw("17").returncode == 0
    turn = labels_in_turn([17], 3).item()
    assert (tmp_path / f"seed-17-class-{turn}.png").exists()
    assert draw("1", "--class", "daisy").returncode == 2
    answer = gankit_cli("import", tmp_path / "netG.pth", "--out", tmp_path / "run")
    assert answer.code == 2
    assert "class labels" in answer.err
