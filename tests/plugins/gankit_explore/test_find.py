"""`gankit find`: the z whose picture comes closest, what is written, and what is refused."""

import json
import math
import shutil

import numpy as np
import pytest
import torch
from gankit_explore.find import comparison, distance, find, finder
from gankit_explore.find.comparison import Comparison
from gankit_explore.find.picture import read_picture
from gankit_explore.find.search import bound_norm, spread_along
from PIL import Image

import gankit
from gankit import GankitError, Sampler
from gankit.runs.provenance import read_provenance
from gankit.runs.read_grid import read_grid


@pytest.fixture(scope="module")
def sampler(trained):
    """The sampler of a run, with a G that is smooth and draws with contrast."""
    run = gankit.load(trained).run
    shape = (run.channels, run.image_size, run.image_size)
    linear = torch.nn.Linear(run.latent_dim, math.prod(shape))
    torch.nn.init.normal_(linear.weight, std=0.05, generator=torch.Generator().manual_seed(0))
    return Sampler(
        run, 8, torch.nn.Sequential(linear, torch.nn.Tanh(), torch.nn.Unflatten(1, shape))
    )


@pytest.fixture
def short(monkeypatch):
    """Few random z, and few steps for the real pictures."""
    monkeypatch.setattr(finder, "NUM_RANDOM", 64)
    monkeypatch.setattr(finder, "STEPS", 5)
    monkeypatch.setattr(comparison, "COUNT", 2)


@pytest.fixture
def flower(sampler, tmp_path):
    """The file of a picture that the run's G drew."""
    path = tmp_path / "flower.png"
    sampler.sample(1000).save(path)
    return path


def test_a_picture_of_the_same_g_is_found_again(sampler, short):
    found = find(sampler, sampler.sample(1000), starts=2, steps=40)
    assert found.distance < 0.03 < 0.5 < found.start
    levels = sampler.images(found.z[None]) - sampler.images(sampler.latents([1000]))
    assert float(levels.abs().max()) * 127.5 < 3
    assert torch.equal(found.way[-1], found.z)


def test_the_same_call_finds_the_same_z(sampler, short):
    first, second = (find(sampler, sampler.sample(1000), starts=2, steps=3) for _ in range(2))
    assert torch.equal(first.z, second.z)
    assert first.comparison == second.comparison


def test_it_is_compared_with_real_pictures(trained, short, monkeypatch):
    monkeypatch.setattr(finder, "choose_real_pictures", _with_held_out)
    noise = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    found = find(trained, noise, starts=1, steps=2)
    assert len(found.comparison.trained) == 2
    assert len(found.comparison.held_out) == 1
    assert len(found.describe()) == 3


def _with_held_out(run, registry, label):
    real = comparison.choose_real_pictures(run, registry, label)
    return real._replace(held_out=real.trained[:1])


@pytest.mark.parametrize(
    ("own", "meaning"), [(0.1, "better"), (0.45, "than 2 of these 3"), (0.9, "cannot")]
)
def test_where_a_picture_stands_between_real_ones(own, meaning):
    numbers, sentence = Comparison(own, (0.4, 0.5), (0.6,)).describe()
    assert meaning in sentence
    for number in (f"{own:.2f}", "2 real", "0.45 (0.40 to 0.50)", "1 real", "0.60"):
        assert number in numbers


def test_what_the_command_writes(gankit_cli, trained, flower, short, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    code, out, err = gankit_cli("find", run, flower, "--starts", 2, "--steps", 6)
    assert (code, err) == (0, "")
    assert str(run / "found.png") in out.splitlines()[-1]
    assert "come to" in out
    assert read_provenance(run / "found.png").command.startswith("gankit find")
    assert read_grid(run / "found.png").width > 3 * 256
    walk = json.loads((run / "found.json").read_text())
    latent_dim = gankit.load(run).run.latent_dim
    assert (walk["gankit"], walk["version"], walk["latent_dim"]) == ("walk", 1, latent_dim)
    assert {len(point["z"]) for point in walk["points"]} == {latent_dim}
    assert walk["loop"] is False  # a film of the way ends at the picture that was found
    assert gankit_cli("find", run, flower, "--starts", 1, "--steps", 2).code == 0  # replaces both


@pytest.mark.parametrize("at", [2, 6, 11])  # with Adam, with L-BFGS, for real pictures
def test_ctrl_c_keeps_the_best_so_far(gankit_cli, trained, flower, short, monkeypatch, at):
    def show(searcher, done):
        if done == at:
            raise KeyboardInterrupt

    monkeypatch.setattr(finder._Searcher, "_show", show)
    code, out, err = gankit_cli("find", trained, flower, "--steps", 4, "--out", "best.png")
    assert code == 130
    assert "interrupted" in err
    assert "best.png" in out
    assert "come to" not in out
    assert len(json.loads((flower.parent / "best.json").read_text())["points"]) == finder.STRIP


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"no picture"),
        ("empty.png", b""),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10"),
        ("missing.png", None),
    ],
)
def test_a_file_that_is_not_a_picture_is_named(gankit_cli, trained, here, name, content):
    if content is not None:
        (here / name).write_bytes(content)
    code, _, err = gankit_cli("find", trained, name)
    assert code == 2
    assert name in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--out", "a.txt"], "a.txt"),
        (["--out", "no/a.png"], "no"),
        (["--starts", "0"], "--starts"),
        (["--steps", "0"], "--steps"),
        (["--checkpoint", "5"], "step-000005"),
    ],
)
def test_bad_options_are_named(gankit_cli, trained, flower, words, text):
    code, _, err = gankit_cli("find", trained, flower, *words)
    assert code == 2
    assert text in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["run", "metrics", "doctor", "directions", "RUN", "notes"])
def test_no_other_file_is_replaced_by_the_z(gankit_cli, trained, flower, tmp_path, name):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "notes.json").write_text("{}")
    before = {path: path.read_bytes() for path in run.rglob("*.json")}
    code, out, err = gankit_cli("find", run, flower, "--out", run / f"{name}.png")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{name}.json" in err
    assert "--out" in err
    assert {path: path.read_bytes() for path in run.rglob("*.json")} == before
    assert not (run / f"{name}.png").exists()


def test_pictures_are_fitted_like_those_of_the_run(sampler, flower):
    run = sampler.run
    grey = Image.new("L", (50, 20), 200)
    assert read_picture(grey, run).shape == (run.image_size, run.image_size, 3)
    assert np.array_equal(read_picture(flower, run), np.asarray(Image.open(flower)))
    for given in (None, np.zeros((8, 8, 3)), 5):
        with pytest.raises(GankitError, match="uint8"):
            read_picture(given, run)


def test_a_run_whose_pictures_are_gone(gankit_run, gankit_cli, pictures_folder, short, here):
    gankit_run("--data", pictures_folder, "--dataset", "folder", "--out", "own")
    picture = (pictures_folder / "00.jpg").rename(here / "mine.jpg")
    shutil.rmtree(pictures_folder)
    code, out, err = gankit_cli("find", "own", picture, "--starts", 1, "--steps", 2)
    assert code == 0
    assert "pictures does not exist" in err
    assert "come to" not in out
    assert (here / "own" / "found.png").is_file()


def test_without_the_feature_network_pixels_count(sampler, short, monkeypatch, caplog):
    def fail():
        raise GankitError("it is not installed: pip")

    monkeypatch.setattr(distance, "load_imagenet_lite", fail)
    found = find(sampler, sampler.sample(1000), starts=1, steps=20)
    assert found.distance < found.start
    assert "pixels" in caplog.text


def test_z_stay_where_g_was_trained():
    z = torch.stack([torch.full((100,), 3.0), torch.full((100,), 0.1), torch.full((100,), 1.05)])
    bounded = bound_norm(z)
    assert bounded.norm(dim=1).tolist() == pytest.approx([11.5, 8.5, 10.5])
    assert torch.equal(bounded[2], z[2])


def test_the_way_is_shown_evenly():
    visited = torch.tensor([[0.0], [1.0], [2.0], [2.1], [2.2], [8.0]])
    assert spread_along(visited, 3).flatten().tolist() == [0, 8, 8]
    assert spread_along(visited[:1], 4).shape == (4, 1)
