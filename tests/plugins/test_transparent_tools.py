"""What plugins make of a run with --channels 4: metrics, pages, searches and files."""

import json
import runpy
import shutil
import sys

import numpy as np
import pytest
import torch
from gankit_doctor.old_runs import read_images
from gankit_explore.find.distance import Distance
from gankit_explore.find.finder import Found
from gankit_explore.find.picture import read_picture
from gankit_explore.find.sheet import draw_found
from gankit_metrics.features import load_features
from gankit_metrics.metrics_file import save_metric_picture
from gankit_report.judge_pictures import draw_heat
from PIL import Image

import gankit
from gankit.core.parts.choice import Choice
from gankit.data.alpha import checkerboard, flatten
from gankit.runs.images import from_uint8


@pytest.fixture
def run(transparent_run, here):
    return shutil.copytree(transparent_run, here / "run")


def random_pixels(count, side=16):
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 4), dtype=np.uint8)
    pixels[..., :3] = np.minimum(pixels[..., :3], pixels[..., 3:])
    return pixels


def test_features_see_a_picture_on_black_and_on_white():
    _, extract = load_features("pixels")
    pixels = random_pixels(5, 32)
    features = extract(pixels)
    on_black, on_white = (extract(flatten(pixels, level)) for level in (0, 255))
    assert features.shape[1] == 2 * on_black.shape[1]
    # So a product, divided by the number of features as in KID, is the mean of both products.
    products = on_black @ on_black.T + on_white @ on_white.T
    np.testing.assert_allclose(features @ features.T, products, rtol=1e-4)


def test_a_white_figure_on_nothing_is_not_nothing():
    _, extract = load_features("pixels")
    nothing, white = np.zeros((2, 1, 32, 32, 4), np.uint8)
    white[:] = 255
    assert np.abs(extract(nothing) - extract(white)).max() > 0.5
    grey = np.full_like(white, 128)
    grey[..., 3] = 255
    assert np.abs(extract(nothing) - extract(grey)).max() > 0.3


def test_a_metrics_picture_lies_on_a_checkerboard(tmp_path):
    pixels = np.zeros((16, 16, 4), np.uint8)
    path = save_metric_picture(pixels, tmp_path, 5, Choice("memorising"), 20)
    with Image.open(path) as picture:
        seen = np.asarray(picture)
    assert np.array_equal(seen, np.broadcast_to(checkerboard(16, 16), (16, 16, 3)))


@pytest.mark.parametrize("metric", ["kid:features=pixels", "swd", "diversity:features=pixels"])
def test_a_run_can_be_measured(run, gankit_cli, metric):
    answer = gankit_cli("evaluate", "run", "--metric", metric)
    assert answer.code == 0, answer.err
    (row,) = json.loads((run / "metrics.json").read_text())
    assert np.isfinite(row["value"])


def test_the_report_has_heat_maps_and_pictures(run, gankit_cli):
    assert gankit_cli("report", "run").code == 0
    assert "data:image" in (run / "report.html").read_text(encoding="utf-8")
    images = torch.rand(2, 4, 16, 16) * 2 - 1
    sizes = torch.rand(2, 1, 16, 16)
    assert draw_heat(images, sizes).shape == (2, 16, 16, 3)


def test_a_step_can_be_unfolded(run, gankit_cli, here):
    answer = gankit_cli("unfold", "run")
    assert answer.code == 0, answer.err
    assert (here / "run-unfolded.html").exists() or list(here.glob("**/*unfolded*"))


def test_the_doctor_answers(run, gankit_cli):
    answer = gankit_cli("doctor", "run")
    assert "Traceback" not in answer.out + answer.err
    assert answer.code in (0, 1)
    settings = gankit.load(run).run
    assert read_images(run / "samples" / "000004.png", settings) is None


def test_a_picture_is_searched_with_its_transparency(run, sprites, registry):
    sampler = gankit.load(run, registry=registry)
    distance = Distance(sampler.images(sampler.latents(range(8))))
    assert distance.embed(sampler.images(sampler.latents([3]))).shape[0] == 1
    target = read_picture(sprites / "03.png", sampler.run)
    assert target.shape == (16, 16, 4)
    assert (target[0, 0] == 0).all()
    assert distance.embed(from_uint8(target[None])).isfinite().all()
    way = sampler.latents(range(3))
    found = Found(sampler, target, way[-1], distance=0.5, start=1.0, way=way)
    assert draw_found(found).mode == "RGB"


def test_the_page_draws_on_a_checkerboard(run, gankit_cli, registry):
    from gankit_explore.page import write_page

    write_page([gankit.load(run, registry=registry)], run / "page.html")
    text = (run / "page.html").read_text(encoding="utf-8")
    assert "conic-gradient" in text
    assert 'class="sharp"' not in text


def test_the_program_of_an_export_saves_rgba(run, gankit_cli, monkeypatch):
    assert gankit_cli("export", "run", "--format", "torch", "--out", "export").code == 0
    monkeypatch.setattr(sys, "argv", ["draw.py", "3"])
    monkeypatch.syspath_prepend("export")
    runpy.run_path("export/draw.py", run_name="__main__")
    assert gankit_cli("sample", "run", "--seeds", 3, "--out", "3.png").code == 0
    pictures = []
    for name in ("seed-3.png", "3.png"):
        with Image.open(name) as picture:
            assert picture.mode == "RGBA"
            pictures.append(np.asarray(picture).astype(int))
    assert np.abs(pictures[0] - pictures[1])[pictures[1][..., 3] > 128].max(initial=0) <= 2
    assert np.abs(pictures[0] - pictures[1])[..., 3].max() <= 1


def test_weights_of_four_channels_are_recognised(run, gankit_cli):
    assert gankit_cli("export", "run", "--format", "torch", "--out", "export").code == 0
    answer = gankit_cli("import", "export/netG.pth", "--out", "again")
    assert answer.code == 0, answer.err
    assert gankit.load("again").run.channels == 4
    assert gankit.load("again").sample(1).mode == "RGBA"
