"""`--format torch`: other programs draw the same pictures without gankit."""

import ast
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from gankit_export.fit import Families, shapes_of
from gankit_export.torch_files import write_torch
from PIL import Image
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gankit import GankitError, GeneratorSpec, hookimpl
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import load_registry
from gankit.runs.images import to_frames
from gankit.runs.provenance import Provenance

OPTIONS = ":base_channels=4"
GENERATORS = {
    "dcgan": OPTIONS,
    "dcgan-skip": OPTIONS,
    "light": OPTIONS,
    "mathworks": f"{OPTIONS},start=stride-2",
    "modern": f"{OPTIONS},blocks=2",
    "tf-dcgan": OPTIONS,
}
WITHOUT_GANKIT = """
import runpy, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("gankit"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
sys.argv[:] = ["draw.py", "3"]
sys.path.insert(0, "export")
runpy.run_path("export/draw.py", run_name="__main__")
"""


@pytest.fixture(scope="session")
def families(registry):
    """Where to look for the generator of some weights."""
    return Families(registry, "generator")


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def imported_by(path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    imported = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or node.names[0].name for node in imported]
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def test_files_draw_the_pictures_of_a_run_without_gankit(pth, gankit_cli, here):
    assert not gankit_cli("import", pth, "--out", "run").code
    code, out, err = gankit_cli("export", "run", "--format", "torch", "--out", "export")
    assert (code, out.strip()) == (0, "export")
    assert {path.name for path in here.glob("export/*")} == {"netG.pth", "generator.py", "draw.py"}
    assert "draw.py" in err
    assert "gankit export" in (here / "export" / "draw.py").read_text()
    environment = {**os.environ, "PYTHONPATH": ""}
    subprocess.run([sys.executable, "-c", WITHOUT_GANKIT], check=True, env=environment)
    for seed in (3, 4):
        gankit_cli("sample", "run", "--seed", seed, "--count", 1, "--out", f"{seed}.png")
    difference = np.abs(pixels_of("seed-3.png") - pixels_of("3.png"))
    assert difference.max() <= 1  # of 255: another version of torch may round otherwise
    assert np.abs(pixels_of("seed-3.png") - pixels_of("4.png")).mean() > 10


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_is_copied_and_found_again(name, sampler_of, registry, families, tmp_path):
    sampler = sampler_of(name + GENERATORS[name])
    write_torch(sampler, tmp_path, Provenance(), registry)
    assert imported_by(tmp_path / "generator.py") == {"torch"}
    assert imported_by(tmp_path / "draw.py") == {"torch", "PIL", "generator"}
    weights = torch.load(tmp_path / "netG.pth", weights_only=True)
    if name == "mathworks":
        with pytest.raises(GankitError, match="start"):
            families.fit(shapes_of(weights))
        families = Families(registry, "generator", Choice(name, {"start": "stride-2"}))
    fit = families.fit(shapes_of(weights))
    assert (fit.image_size, fit.channels, fit.latent_dim) == (16, 3, sampler.run.latent_dim)
    assert dict(fit.network.options) == dict(sampler.run.generator.options)


def test_a_run_from_somebody_else_puts_no_code_into_the_files(sampler_of, tmp_path):
    sampler = sampler_of("dcgan:base_channels=4")
    write_torch(sampler, tmp_path, Provenance("a\nimport evil", "b\rimport evil"))
    assert imported_by(tmp_path / "draw.py") >= {"torch", "PIL", "generator"}
    assert "evil" not in imported_by(tmp_path / "draw.py")


def test_a_trick_that_changed_the_layers_leaves_plain_weights(sampler_of, tmp_path):
    sampler = sampler_of("dcgan:base_channels=4")
    names = list(sampler.net.state_dict())
    for layer in sampler.net.main[::3]:
        spectral_norm(layer)
    sampler.net.eval()
    assert list(sampler.net.state_dict()) != names
    write_torch(sampler, tmp_path, Provenance())
    assert (tmp_path / "generator.py").exists()
    assert set(torch.load(tmp_path / "netG.pth", weights_only=True)) == set(names)


class Small(nn.Module):
    """A generator; `forward` is changed by the classes below."""

    def __init__(self, image_size, channels, latent_dim):
        super().__init__()
        self.shape = (channels, image_size, image_size)
        self.layer = nn.Linear(latent_dim, channels * image_size**2)

    def forward(self, z):
        return torch.tanh(self.layer(z)).unflatten(1, self.shape)


class Noisy(Small):
    def forward(self, z):
        return super().forward(z + 0.1 * torch.randn_like(z))


class AcrossBatch(Small):
    def forward(self, z):
        return super().forward(z - z.mean(0))


@pytest.fixture
def sampler_with(sampler_of):
    """`sampler_with(Noisy)`: the sampler and the registry of a generator that is not gankit's."""

    def build(network):
        registry = load_registry()

        def make(image_size, channels, latent_dim):
            return network(image_size, channels, latent_dim)

        class Plugin:
            @hookimpl
            def register_generators(self, register):
                register(GeneratorSpec(name="mine", summary="s", source="s", build=make))

        registry.load("mine", Plugin)
        return sampler_of("mine", registry), registry

    return build


def test_a_network_without_a_source_of_its_own_becomes_a_program(sampler_with, tmp_path):
    sampler, registry = sampler_with(Small)
    note, _ = write_torch(sampler, tmp_path, Provenance(), registry)
    assert "netG.pt2" in note
    assert {path.name for path in tmp_path.iterdir()} == {"netG.pth", "netG.pt2", "draw.py"}
    assert imported_by(tmp_path / "draw.py") == {"torch", "PIL"}
    assert "netG.pt2" in (tmp_path / "draw.py").read_text()
    program = torch.export.load(tmp_path / "netG.pt2").module()
    z = sampler.latents([3])
    assert np.array_equal(to_frames(program(z)), to_frames(sampler.images(z)))


@pytest.mark.parametrize(
    ("network", "why"), [(Noisy, "each time"), (AcrossBatch, "others with it")]
)
def test_what_no_file_can_repeat_is_refused(network, why, sampler_with, tmp_path):
    sampler, registry = sampler_with(network)
    with pytest.raises(GankitError, match=why) as refused:
        write_torch(sampler, tmp_path, Provenance(), registry)
    assert "'mine'" in str(refused.value)
    assert list(tmp_path.iterdir()) == []
