"""A whole run of pictures that are not square, and all that is made of it."""

import itertools
import json

import numpy as np
import pytest
import torch
from gankit_explore.find.finder import find
from gankit_explore.program.lower import lower
from gankit_export.imported_run import import_run
from gankit_export.torch_files import write_torch
from PIL import Image

import gankit
from gankit import GankitError, compose, load
from gankit.core.run.image_size import ImageSize
from gankit.data.prepare import prepare
from gankit.runs.grids import list_grids
from gankit.runs.images import cut_grid
from gankit.runs.provenance import Provenance
from gankit.runs.read_grid import read_grid

SIZE = ImageSize(width=24, height=16)
EVERYTHING = ("ada:kimg=0.001", "blur", "replay", "r1", "ema")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 48 wide pictures, dark above and light below."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for index in range(48):
        pixels = random.integers(0, 100, (40, 66, 3), dtype=np.uint8)
        pixels[20:] += 120
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def settings(photos, tiny):
    given = {"data": str(photos), "image_size": "24x16", "holdout": 0.5, "save_every": 2}
    plain = tiny(**given, draw_every=2, log_every=1, tricks=["ema"])
    return {name: value for name, value in plain.items() if name != "dataset"}


@pytest.fixture(scope="module")
def run(settings, registry, tmp_path_factory):
    """The folder of a finished run of four steps; do not change it."""
    out = str(tmp_path_factory.mktemp("runs") / "wide")
    return gankit.train(compose(registry, **settings, metrics=["swd"], out=out))


def test_pictures_are_prepared_and_drawn_in_their_shape(run, registry):
    recorded = gankit.load_run(run)
    assert recorded.image_size == "24x16"
    assert prepare(recorded, registry).pixels.shape[1:] == (16, 24, 3)
    (*_, (step, path)) = list_grids(run)
    sampler = load(run)
    frames = cut_grid(read_grid(path), SIZE)
    assert step == 4
    assert (frames == sampler.frames(sampler.latents(range(64)))).all()
    assert sampler.sample(3, size=96).size == (96, 64)
    assert (run / "report.html").is_file()


def test_all_tricks_of_pixels_act_and_a_resumed_run_is_exact(settings, registry, tmp_path):
    extras = {**settings, "tricks": EVERYTHING, "dihedral": True, "zoom": 1.3, "report": False}
    whole = gankit.train(compose(registry, **extras, out=str(tmp_path / "whole")))
    parts = compose(registry, **{**extras, "length": "2 steps"}, out=str(tmp_path / "parts"))
    gankit.train(parts)
    gankit.train(gankit.load_run(parts.folder, steps=4), resume=True)
    weights = [load(folder).net.state_dict() for folder in (whole, parts.folder)]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])


def test_pictures_of_half_a_turn_and_mirrored_are_shown(settings, trainer_of):
    plain = {name: value for name, value in settings.items() if name != "tricks"}
    trainer = trainer_of(**{**plain, "dataset": "folder", "dihedral": True})
    pixels_of_set = trainer.batches.pixels
    seen = set()
    for batch in range(6):
        for image in trainer.batches[batch]:
            pixels = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
            turns = (pixels, pixels[::-1], pixels[:, ::-1], pixels[::-1, ::-1])
            seen |= {
                number
                for number, turned in enumerate(turns)
                if (pixels_of_set == turned).all((1, 2, 3)).any()
            }
    assert seen == {0, 1, 2, 3}


def test_a_page_a_search_and_a_file_draw_the_same(run, registry, tmp_path, monkeypatch):
    monkeypatch.setattr("gankit_explore.find.distance._load_network", lambda: None)  # it is slow
    sampler = load(run)
    z = sampler.latents(range(3))
    images = sampler.images(z)
    program = lower(sampler.net, sampler.run.latent_dim)
    assert program.shape == (3, 16, 24)
    assert np.abs(program.images(z.numpy()) - images.numpy()).max() < 0.02
    found = find(sampler, Image.fromarray(sampler.frames(z)[1]), steps=2, starts=8)
    assert found.target.shape == (16, 24, 3)
    write_torch(sampler, tmp_path, Provenance(), registry)
    assert "image_size=(16, 24)" in (tmp_path / "draw.py").read_text()
    again = import_run(registry, tmp_path / "netG.pth", str(tmp_path / "again"))
    assert again.image_size == "24x16"
    assert torch.allclose(load(again).images(z), images, atol=1e-6)


def test_weights_that_do_not_tell_the_shape_need_the_option(registry, tmp_path):
    path = tmp_path / "netG.pth"
    given = {"image_size": (16, 24), "channels": 3, "latent_dim": 10}
    net = registry.make("generator", "tf-dcgan:base_channels=2", **given)
    torch.save(net.state_dict(), path)
    with pytest.raises(GankitError, match="give --image-size PX or WIDTHxHEIGHT"):
        import_run(registry, path, str(tmp_path / "no"))
    options = ["--image-size", "24x16"]
    run = import_run(registry, path, str(tmp_path / "yes"), options)
    assert run.image_size == "24x16"
    assert load(run).sample(0).size == (24, 16)


@pytest.mark.parametrize("name", ["dcgan-skip", "light", "modern", "dcgan"])
def test_every_generator_is_lowered(name, registry):
    given = {"image_size": (24, 16), "channels": 3, "latent_dim": 6}
    net = registry.make("generator", f"{name}:base_channels=2", **given).eval()
    z = torch.randn(2, 6)
    with torch.no_grad():
        expected = net(z).numpy()
    assert np.abs(lower(net, 6).images(z.numpy()) - expected).max() < 0.05


def test_commands_make_files_of_a_run(run, gankit_cli, here):
    for words in (
        ("sample", run, "--size", 48, "--out", "grid.png"),
        ("sample", run, "--loop", "--seconds", 1, "--out", "loop.mp4"),
        ("sample", run, "--history", "--out", "history.webp"),
        ("export", run, "--out", "page.html"),
        ("report", run, "--out", "report.html"),
        ("evaluate", run, "--metric", "swd", "--samples", 20),
        ("doctor", run),
        ("unfold", run, "--out", "unfold.html"),
    ):
        answer = gankit_cli(*words)
        assert answer.code == 0, (words, answer.err)
    with Image.open("grid.png") as grid:
        assert grid.size == (8 * 48 + 9 * 4, 8 * 32 + 9 * 4)
    assert "aspect-ratio:24/16" in (here / "unfold.html").read_text(encoding="utf-8")
    assert "--shape: 1.5" in (here / "page.html").read_text(encoding="utf-8")


def test_a_check_measures_the_crop_for_the_shape(photos):
    square = gankit.check_data(photos, image_size=32)
    wide = gankit.check_data(photos, image_size="48x32")
    assert square["lost_in_crop"] == pytest.approx(1 - 40 / 66, abs=1e-3)
    assert wide["lost_in_crop"] == pytest.approx(1 - 60 / 66, abs=1e-3)
    assert wide["image_size"] == "48x32"
    assert wide["too_small"] == 0
    assert gankit.check_data(photos, image_size="48x64")["too_small"] == 48
    mends = " ".join(finding["mend"] for finding in square["findings"])
    assert "--image-size 48x32" in mends or "--image-size 56x32" in mends
    assert "--image-size 48x32" in wide["try"]
    (advice,) = (f for f in gankit.check_data(photos, image_size="50x30")["findings"]
                 if "cannot draw" in f["what"])  # fmt: skip
    assert "--image-size 48x32" in advice["mend"]


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("patches:size=36x24", "36x24"),
        ("patches:size=24", "another shape than pictures of 24x16: give size=36x24"),
        ("patches:size=20x20", "another shape than pictures of 24x16"),
        ("patches:size=big", "WIDTHxHEIGHT"),
        ("patches:stride=0", "stride must be whole pixels"),
    ],
)
def test_patches_have_the_shape_of_the_pictures(fit, expected, settings, registry):
    run = compose(registry, **{**settings, "fit": fit})
    if "size" in expected or "stride" in expected or "another" in expected or "HEIGHT" in expected:
        with pytest.raises(GankitError, match=expected):
            prepare(run, registry)
    else:
        assert len(prepare(run, registry).pixels) == 2 * 2 * 48


def test_grey_pictures_keep_one_channel(tmp_path, settings, registry):
    folder = tmp_path / "grey"
    folder.mkdir()
    for index in range(10):
        pixels = np.random.default_rng(index).integers(0, 256, (20, 30), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    run = compose(registry, **{**settings, "data": str(folder), "holdout": 0.0})
    assert prepare(run, registry).pixels.shape == (10, 16, 24, 1)


def test_the_shape_is_in_the_key_of_the_cache(settings, registry):
    sizes = ("24x16", "16x24", 16, 24)
    prepared = [
        prepare(compose(registry, **{**settings, "image_size": size}), registry) for size in sizes
    ]
    for one, other in itertools.combinations(prepared, 2):
        assert one.fingerprint != other.fingerprint


def test_d_s_own_view_is_recorded_in_its_shape(run):
    records = [json.loads(path.read_text()) for path in (run / "d-view").glob("*.json")]
    assert all((record["size"], record["height"]) == (24, 16) for record in records)
    assert records
