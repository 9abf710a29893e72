"""`--format onnx`: onnxruntime draws the same pictures, however many z it gets."""

import sys

import pytest
import torch
from gankit_export.exact import largest_difference
from gankit_export.onnx_file import OPSET, run_onnx, write_onnx

from gankit import GankitError
from gankit.runs.provenance import Provenance

# Each takes seconds; the layers of dcgan are among those of dcgan-skip, and those of mathworks
# among those of tf-dcgan.
GENERATORS = ("dcgan-skip", "light", "modern", "tf-dcgan")


@pytest.mark.parametrize("name", GENERATORS)
def test_onnxruntime_draws_the_same_pictures(name, sampler_of, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    sampler = sampler_of(f"{name}:base_channels=2")
    file = tmp_path / "netG.onnx"
    write_onnx(sampler, file, Provenance("gankit export", seed=5, step=8))
    for count in (1, 2, 16):
        z = sampler.latents(range(count))
        images = run_onnx(file.read_bytes(), z)
        assert largest_difference(images, sampler.images(z)) < 1e-3
    model = onnx.load(file)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    assert {p.key: p.value for p in model.metadata_props} == {
        "version": model.producer_version,
        "command": "gankit export",
        "seed": "5",
        "step": "8",
    }


def test_a_network_that_onnx_cannot_hold_is_refused_by_name(sampler_of, tmp_path, monkeypatch):
    pytest.importorskip("onnxscript")
    sampler = sampler_of("dcgan:base_channels=2")

    def fail(*arguments, **options):
        raise RuntimeError("no operator for aten::mine")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(GankitError, match="dcgan.*onnx.*aten::mine"):
        write_onnx(sampler, tmp_path / "netG.onnx", Provenance())
    assert list(tmp_path.iterdir()) == []


def test_missing_packages_are_named_with_the_command(sampler_of, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(GankitError, match=r'pip install "gankit\[onnx\]"'):
        write_onnx(sampler_of("dcgan:base_channels=2"), tmp_path / "netG.onnx", Provenance())
