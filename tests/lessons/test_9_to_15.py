"""Lessons 9 to 15 run to their end in a short form, leave their files, and say what is true."""

import re
import runpy

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from gankit_dcgan.nets import Generator
from PIL import Image

from gankit.core.parts.choice import Choice

LESSONS = {  # the answers to their exercises: right ones, wrong ones
    9: (["4096 * 2048 * 16", "134217728"], ["4096 * 2048", "0"]),
    10: (["(0.95 - 0.55) / (0.95 - 0.05)", "0.444"], ["0.55", "1"]),
    11: (["0.8", "max(0, 1 - 1.5) + max(0, 1 - 0.2)"], ["0.3", "1.3"]),
    12: (["5", "10 / 4**0.5"], ["2.5", "10"]),
    13: (["2"], ["1", "3"]),
    14: (["'after_update'"], ["'before_update'", "'d_input'"]),
    15: (["0.8", "0.5 - 0.25 * (-0.4 - 0.8)"], ["0.2", "-0.4"]),
}


def test_picture_and_exercise(number, check_picture_and_answers):
    check_picture_and_answers(number, *LESSONS[number])


def picture(run, name):
    with Image.open(run.folder / name) as image:
        return np.asarray(image.convert("RGB"))


def test_9_measures_the_cost_of_each_design(lesson):
    run = lesson(9)
    costs = run.variables["costs"]
    assert f"{costs[64, 'naive']['weights']:,}" == "3,576,704"
    assert costs[64, "naive"]["work"] > 5 * costs[32, "naive"]["work"]
    assert 3.5 < costs[64, "naive"]["memory"] / costs[32, "naive"]["memory"] < 4.5
    assert costs[64, "narrow"]["memory"] < 0.6 * costs[64, "naive"]["memory"]
    assert "64 pixels, narrow: weights x 3.2" in run.output
    assert picture(run, "lesson-09.png").shape == (600, 800, 3)


def test_9_counts_the_weights_of_g_at_256_pixels(lesson):
    weights = {}
    for design, options in lesson(9).variables["DESIGNS"].items():
        with torch.device("meta"):  # shapes only, no memory
            G = Generator(image_size=256, **Choice.parse(f"dcgan:{options}").options)
        weights[design] = sum(weight.numel() for weight in G.parameters())
    assert weights == {"naive": 47_983_488, "capped": 11_967_360, "narrow": 7_803_328}


def test_10_scores_pictures_that_d_has_never_seen(lesson):
    run = lesson(10)
    recorder = run.variables["recorder"]  # of the last run, with 50 pictures
    assert recorder.train_images.shape == recorder.fresh_images.shape == (50, 3, 32, 32)
    distances = torch.cdist(recorder.train_images.flatten(1), recorder.fresh_images.flatten(1))
    assert distances.min() > 0.1, "a picture is in both parts"
    assert len(re.findall(r"a gap of -?\d\.\d\d", run.output)) == 3
    assert run.output.count("memorising, copies: 1.00 (1.00 to 1.00)") == 3
    assert "diffaugment: color, translation, cutout" in run.output
    assert picture(run, "lesson-10.png").std() > 20


def test_11_trains_six_runs(lesson):
    run = lesson(11)
    curves = run.variables["curves"]
    assert len(curves) == 6
    for name, history in curves.items():
        assert re.search(rf"^{re.escape(name)} +-?\d", run.output, re.MULTILINE), name
        assert all(np.isfinite(row).all() for row in history)
    last = {name: history[-1] for name, history in curves.items()}
    assert last["wasserstein"][1] < 0 < last["hinge"][1]  # a difference of means, and a cost
    assert last["non-saturating, r1"][3] < last["non-saturating"][3]  # less steep
    assert picture(run, "lesson-11.png").shape == (932, 1020, 3)


def test_12_the_arc_keeps_the_length_of_z(lesson):
    run = lesson(12)
    arc, line, z = (run.variables[name] for name in ("arc", "line", "z"))
    assert torch.allclose(arc(z[:9], z[9:18], 0.0), z[:9], atol=1e-4)
    assert torch.allclose(arc(z[:9], z[9:18], 1.0), z[9:18], atol=1e-4)
    assert arc(z[::2], z[1::2], 0.5).norm(dim=1).mean() == pytest.approx(10, abs=0.3)
    assert line(z[::2], z[1::2], 0.5).norm(dim=1).mean() == pytest.approx(7.07, abs=0.3)
    assert re.search(r"length of z: (9\.9|10\.[01])", run.output)
    assert re.search(r"points halfway: 7\.[012]", run.output)
    assert picture(run, "lesson-12.png").std() > 5


def test_12_the_film_ends_where_it_begins(lesson):
    run = lesson(12)
    film = iio.imread(run.folder / "lesson-12.mp4", plugin="pyav")
    assert len(film) == 100
    a, b, middle = (np.asarray(run.variables["film"][n]).astype(int) for n in (0, 99, 50))
    assert np.abs(a - b).mean() < np.abs(a - middle).mean()


def test_13_each_measure_finds_its_faults(lesson):
    run = lesson(13)

    def value(name, metric):
        line = re.search(rf"^{name} .*", run.output, re.MULTILINE)[0]
        return float(re.search(rf"{metric} (-?[\d.]+)", line)[1])

    assert value("copies", "memorising") == 1 > 0.7 > value("fresh flowers", "memorising")
    assert value("red only", "modes") < 7 < 18 < value("fresh flowers", "modes")
    assert value("one flower", "modes") == 1
    for faulty in ("blurred", "noisy", "one flower", "only noise", "your G"):
        for metric in ("swd", "kid"):
            assert value(faulty, metric) > 1.3 * value("fresh flowers", metric), (faulty, metric)
    assert picture(run, "lesson-13.png").shape == (736, 960, 3)


def test_13_sorts_the_sets_by_kid(lesson):
    run = lesson(13)
    scale = re.findall(r"^kid +(-?\d+\.\d+)  (.*)$", run.output, re.MULTILINE)
    values = [float(value) for value, _ in scale]
    assert {name for _, name in scale} == set(run.variables["picture_sets"])
    assert values == sorted(values)


def test_13_also_runs_without_the_network_of_kid(lesson, lesson_path, capsys, monkeypatch):
    run = lesson(13)
    monkeypatch.chdir(run.folder)
    monkeypatch.setattr("gankit_metrics.evaluate.features_available", lambda name: False)
    cells = lesson_path(13).read_text(encoding="utf-8").split("# %%\n")
    measuring = [cell for cell in cells if cell.startswith(("# Measure all", "# A scale for kid"))]
    sets = {name: run.variables["picture_sets"][name] for name in ("copies", "your G")}
    exec("".join(measuring), {**run.variables, "picture_sets": sets})
    printed = capsys.readouterr().out
    assert "kid is left out" in printed
    assert re.search(r"^copies +swd [\d.]+ .* memorising 1\.00", printed, re.MULTILINE)


def test_14_trains_its_own_parts_and_writes_a_package(lesson):
    run = lesson(14)
    assert "mean-picture: means differ by 0." in run.output  # it acted
    assert "$ gankit -p my_trick.py show mean-picture" in run.output
    assert "weight" in run.output.split("$ gankit -p")[1]  # the trick's option
    assert (run.folder / "my-noise" / "my_noise" / "trick.py").is_file()
    assert run.variables["mine"].generator == "enlarger"
    faces = run.variables["Faces"]()
    assert not np.array_equal(np.asarray(faces[0]), np.asarray(faces[1]))
    assert picture(run, "lesson-14.png").shape == (412, 684, 3)


def test_14_the_conformance_tests_find_a_missing_tanh(lesson, monkeypatch):
    found = lesson(14).variables

    class Loud(found["Enlarger"]):
        def __init__(self, image_size: int, channels: int, latent_dim: int):
            super().__init__(image_size, channels, latent_dim)
            self.main = self.main[:-1]

    mine, names = found["Mine"], found["Mine"].register_generators.__globals__
    monkeypatch.setitem(names, "Enlarger", Loud)
    with pytest.raises(AssertionError, match="-1 to 1"):
        found["testing"].check_generator("enlarger", plugin=mine, sizes=(32,))


def test_15_samples_the_flower_if_the_direction_is_exact(lesson, monkeypatch):
    run = lesson(15)
    sample = run.variables["sample"]
    flower = torch.rand(2, 3, 32, 32)
    noise = torch.randn(2, 3, 32, 32)
    names = sample.__wrapped__.__globals__  # no_grad wraps it
    monkeypatch.setitem(names, "average", lambda x, t: noise - flower)
    path = sample(noise, steps=4)
    assert len(path) == 5
    assert torch.allclose(path[-1], flower, atol=1e-5)
    assert torch.allclose(path[2], (noise + flower) / 2, atol=1e-5)


def test_15_names_papers_and_learns(lesson):
    run = lesson(15)
    papers = set(re.findall(r"arXiv \d{4}\.\d{5}", run.output))
    assert len(papers) == len(run.variables["LATER_IDEAS"])
    losses = run.variables["losses"]
    assert len(losses) == 8
    assert losses[-1] < losses[0]
    assert picture(run, "lesson-15.png").std() > 20


def test_15_computes_in_float32_where_bf16_is_slower(lesson_path, here, monkeypatch):
    monkeypatch.setattr("gankit.core.device.is_faster_in_bf16", lambda device: False)
    monkeypatch.setenv("GANKIT_LESSON_STEPS", "1")
    variables = runpy.run_path(str(lesson_path(15)))
    assert variables["predicted"].dtype == torch.float32
