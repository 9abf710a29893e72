"""Runs with class labels: recorded, resumed, repeated, and drawn from by class."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from gankit_metrics.picture_sets import only_class
from PIL import Image

import gankit
from gankit import GankitError, compose, train
from gankit.core.parts.registry import load_registry
from gankit.runs.find_class import find_class
from gankit.runs.latent_walk import walk, walk_labels
from gankit.training.run_folder.run_pictures import prepare_again

SETTINGS = {
    "dataset": "petals:count=120", "class_labels": True, "balance_classes": True,
    "length": "6 steps", "save_every": 3, "draw_every": 3, "log_every": 3, "report": False,
    "tricks": ["ema:decay=0.9", "replay:size=16", "r1"],
}  # fmt: skip
COLOURS = ("red", "yellow", "white", "pink", "violet", "blue")
PROJECTION = """
from torch import nn
from gankit import DiscriminatorSpec, hookimpl

class Projection(nn.Module):
    def __init__(self, image_size: int, channels: int, num_classes: int = 0):
        super().__init__()
        self.inner = nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, 8), nn.ReLU())
        self.out = nn.Linear(8, 1)
        self.table = nn.Embedding(num_classes, 8)  # last, and called last

    def forward(self, images, labels):
        features = self.inner(images)
        return self.out(features).flatten() + (self.table(labels) * features).sum(1)

@hookimpl
def register_discriminators(register):
    register(DiscriminatorSpec(
        name="projection", summary="asks about the class", source="arXiv 1802.05637",
        build=Projection,
    ))
"""


def weights_of(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "checkpoints" / "step-000006").glob("*.safetensors")
    }


@pytest.fixture(scope="module")
def conditional(registry, tiny, tmp_path_factory):
    """The folder of a finished run with class labels; do not change it."""
    out = tmp_path_factory.mktemp("runs") / "conditional"
    return train(compose(registry, **tiny(**SETTINGS), out=str(out)), quiet=True)


def test_the_run_records_its_classes_in_order(conditional):
    record = json.loads((conditional / "run.json").read_text())
    assert record["class_names"] == list(COLOURS)
    assert "--class-labels --balance-classes" in record["command"]
    assert "red" not in record["command"]


def test_a_resumed_run_ends_like_one_that_was_never_stopped(conditional, registry, tiny, tmp_path):
    steps = iter(range(6))
    run = compose(registry, **tiny(**SETTINGS), out=str(tmp_path / "stopped"))
    folder = train(run, quiet=True, stop=lambda: next(steps) == 3)
    train(folder, resume=True, quiet=True)
    assert weights_of(folder) == weights_of(conditional)
    grids = [path / "samples" / "000006.png" for path in (folder, conditional)]
    assert grids[0].read_bytes() == grids[1].read_bytes()


def test_a_resumed_run_refuses_other_classes(registry, tiny, tmp_path):
    for name in ("rose", "daisy"):
        (tmp_path / "flowers" / name).mkdir(parents=True)
        for index in range(8):
            picture = Image.new("RGB", (16, 16), (index * 9, len(name) * 20, 90))
            picture.save(tmp_path / "flowers" / name / f"{index}.png")
    settings = {**SETTINGS, "dataset": None, "data": [tmp_path / "flowers"], "tricks": ["none"]}
    run = compose(registry, **tiny(**settings), out=str(tmp_path / "run"))
    folder = train(run, quiet=True)
    (tmp_path / "flowers" / "rose").rename(tmp_path / "flowers" / "tulip")
    with pytest.raises(GankitError, match="the classes 'daisy, rose', but .* 'daisy, tulip'"):
        train(gankit.load_run(folder, steps=9), resume=True, quiet=True)


def test_labels_of_a_run_are_fixed(conditional):
    with pytest.raises(GankitError, match="class.labels cannot change"):
        train(gankit.load_run(conditional, class_labels=False), resume=True, quiet=True)


def test_a_run_without_labels_has_no_classes(trained):
    sampler = gankit.load(trained)
    assert sampler.class_names == ()
    assert sampler.labels([3]) is None
    for draw in (
        lambda: sampler.sample(3, label="red"),
        lambda: sampler.images(sampler.latents([1]), torch.tensor([0])),
    ):
        with pytest.raises(GankitError, match="no class labels"):
            draw()


def test_a_sampler_draws_the_class_that_you_name(conditional):
    sampler = gankit.load(conditional)
    assert sampler.class_names == COLOURS
    by_name = sampler.sample(7, label="Blue").tobytes()
    assert by_name == sampler.sample(7, label=5).tobytes()
    assert by_name != sampler.sample(7, label="red").tobytes()
    assert sampler.sample(9).tobytes() == sampler.sample(9, label="yellow").tobytes()
    blue = sampler.grid(4, label="blue").tobytes()
    labels = sampler.labels(range(4), "blue")
    assert blue == sampler.draw(sampler.latents(range(4)), labels=labels).tobytes()
    assert sampler.near(9, 4).tobytes() == sampler.near(9, 4, label="yellow").tobytes()


def test_a_grid_of_training_is_that_of_seeds(conditional):
    sampler = gankit.load(conditional)
    drawn = Image.open(conditional / "samples" / "000006.png")
    pictures = sampler.frames(sampler.latents(range(64)))
    side = sampler.run.image_size
    gap = (drawn.width - 8 * side) // 9 or (drawn.width - 8 * side) // 7
    for cell in (0, 13, 42):
        top, left = ((side + gap) * place for place in divmod(cell, 8))
        area = drawn.crop((left, top, left + side + 2 * gap, top + side + 2 * gap))
        assert pictures[cell].tobytes() in _windows(area, side)


def _windows(picture, side):
    """All pictures of this side in a picture, as bytes."""
    spare = range(picture.width - side + 1)
    boxes = [(x, y, x + side, y + side) for x in spare for y in spare]
    return {picture.convert("RGB").crop(box).tobytes() for box in boxes}


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("rd", "no class 'rd'. Did you mean 'red'"),
        (6, "class 6 does not exist: they are 0 to 5"),
        (-1, "0 to 5"),
        (2.0, "give the name of a class"),
        (True, "give the name of a class"),
    ],
)
def test_a_wrong_class_is_a_sentence(label, message):
    with pytest.raises(GankitError, match=message):
        find_class(COLOURS, label)


def test_a_name_counts_before_a_number_and_case_only_if_it_must():
    assert find_class(("1", "0"), "1") == 0
    assert find_class(("Rose", "rose", "Tulip"), "rose") == 1
    assert find_class(("Rose", "Tulip"), "TULIP") == 1
    assert find_class(("oak", "Blu\u0308te", "blu\u0308te"), "Bl\u00fcte") == 1
    assert find_class(("oak", "Bl\u00fcte"), "BLU\u0308TE") == 1
    assert find_class(("Blu\u0308te", "Bl\u00fcte"), "Bl\u00fcte") == 1
    with pytest.raises(GankitError, match="no class 'ROSE'"):
        find_class(("Rose", "rose"), "ROSE")


@pytest.mark.parametrize(
    "labels", [torch.zeros(3), torch.zeros(2, dtype=torch.int64), torch.tensor([0, 1, 6]), [0, 1]]
)
def test_wrong_labels_for_images_are_a_sentence(conditional, labels):
    sampler = gankit.load(conditional)
    with pytest.raises(GankitError, match="labels"):
        sampler.images(sampler.latents(range(3)), labels)


def test_grids_of_tall_pictures_have_a_row_for_each_class(registry, tiny, gankit_cli, here):
    settings = {**SETTINGS, "length": "3 steps", "image_size": "16x32"}
    folder = train(compose(registry, **tiny(**settings), out="tall"), quiet=True)
    wide = (8 * 18 + 2, 8 * 34 + 2)
    assert gankit.load(folder).grid().size == wide
    assert gankit_cli("sample", folder, "--out", "grid.png").code == 0
    for path in (folder / "samples" / "000003.png", here / "grid.png"):
        with Image.open(path) as picture:
            assert picture.size == wide


def test_sample_draws_classes(conditional, gankit_cli, here):
    answer = gankit_cli("sample", conditional, "--class", "blue", "--count", 4, "--out", "b.png")
    assert answer.code == 0
    sampler = gankit.load(conditional)
    z = sampler.latents(range(4))
    text = Image.open(here / "b.png").text
    assert "--class blue" in str(text)
    rows = ("--class", "RED", "--class", "blue", "--count", 3, "--out", "rows.png")
    assert "(rows from the top: red, blue)" in gankit_cli("sample", conditional, *rows).out
    picture = Image.open(here / "rows.png")
    assert picture.width > picture.height  # a row for each class
    assert sampler.frames(z[:3], sampler.labels(range(3), "red"))[0].tobytes() in _windows(
        picture.crop((0, 0, 24, 24)), 16
    )


def test_sample_names_its_file_as_the_run_spells_the_class(conditional, gankit_cli):
    answer = gankit_cli("sample", conditional, "--class", "RED", "--class", "red", "--count", 1)
    assert answer.code == 0
    assert f"{conditional}/red-" in answer.out


def test_sample_writes_files_of_classes(conditional, gankit_cli, here):
    words = ("--class", "red", "--class", "blue", "--count", 2, "--files", "--out", "flowers")
    assert gankit_cli("sample", conditional, *words).code == 0
    names = sorted(path.name for path in (here / "flowers").iterdir())
    assert names == ["blue-000000.png", "blue-000001.png", "red-000000.png", "red-000001.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--class", "green"), "there is no class 'green'"),
        (("--class", "red", "--class", "blue", "--near", 3, "--loop"), "a circle in one class"),
        (("--class", "red", "--history"), "omit --class"),
    ],
)
def test_sample_refuses_what_it_cannot_draw(conditional, gankit_cli, words, message):
    answer = gankit_cli("sample", conditional, *words, "--out", "x.png")
    assert answer.code == 2
    assert message in answer.err


def test_sample_of_a_run_without_labels_refuses_a_class(trained, gankit_cli):
    answer = gankit_cli("sample", trained, "--class", "red", "--out", "x.png")
    assert answer.code == 2
    assert "no class labels" in answer.err


def test_a_strip_stays_in_one_class(conditional, gankit_cli, here):
    assert gankit_cli("sample", conditional, "--strip", "--seed", 8, "--out", "s.png").code == 0
    words = ("--strip", "--seed", 8, "--class", "yellow", "--out", "y.png")
    assert gankit_cli("sample", conditional, *words).code == 0
    first, second = (Image.open(here / name).tobytes() for name in ("s.png", "y.png"))
    assert first == second


def test_a_strip_and_a_film_go_from_class_to_class(conditional, gankit_cli, here):
    words = ("--class", "red", "--class", "blue", "--seed", 3, "--strip", "--count", 5)
    assert gankit_cli("sample", conditional, *words, "--out", "s.png").code == 0
    sampler = gankit.load(conditional)
    z = sampler.latents([3] * 5)
    shares = torch.zeros(5, 6)
    shares[:, 5] = torch.linspace(0, 1, 5)
    shares[:, 0] = 1 - shares[:, 5]
    expected = sampler.draw(z, 5, labels=shares)
    with Image.open(here / "s.png") as strip:
        assert strip.tobytes() == expected.tobytes()
    words = ("--class", "red", "--class", "blue", "--class", "pink", "--loop", "--fps", 4)
    answer = gankit_cli("sample", conditional, *words, "--out", here / "film.mp4")
    assert answer.code == 0
    assert (here / "film.mp4").exists(), (answer, Path.cwd())


def test_a_closed_walk_visits_each_class_and_lies_between_them():
    way = torch.stack(list(walk_labels(torch.eye(3), 12, closed=True)))
    assert torch.equal(way[::4], torch.eye(3))
    assert torch.allclose(way[2], torch.tensor([0.5, 0.5, 0]))
    assert torch.allclose(way.sum(dim=1), torch.ones(12))
    z = torch.ones(3, 1)
    assert torch.equal(torch.stack(list(walk(z, 12, closed=True))), torch.ones(12, 1))


def test_a_walk_in_a_file_has_classes(conditional, trained, gankit_cli, here):
    walk = {"gankit": "walk", "version": 1, "seconds_per_picture": 1, "loop": False}
    walk["latent_dim"] = gankit.load(conditional).run.latent_dim
    walk["points"] = [{"seed": 3, "class": "red"}, {"seed": 3, "class": [0, 0, 0.5, 0, 0, 0.5]}]
    file = here / "directions.json"
    file.write_text(json.dumps(walk))
    words = ("--directions", file, "--fps", 4, "--out", "film.webp")
    assert gankit_cli("sample", conditional, *words).code == 0
    assert gankit_cli("sample", trained, *words).code == 2
    for point, message in (
        ({"seed": 3, "class": "green"}, "there is no class 'green'"),
        ({"seed": 3}, "points[1] has no class"),
        ({"seed": 3, "class": [1, 0]}, "6 numbers with the sum 1"),
    ):
        walk["points"][1] = point
        file.write_text(json.dumps(walk))
        answer = gankit_cli("sample", conditional, *words)
        assert answer.code == 2
        assert message in answer.err


def test_evaluate_measures_each_class_or_says_why_not(conditional, gankit_cli):
    words = ("--each-class", "--metric", "swd", "--samples", 20, "--json")
    answer = gankit_cli("evaluate", conditional, *words)
    rows = json.loads(answer.out)
    assert [row["class"] for row in rows] == list(COLOURS)
    assert all("too few pictures" in row["note"] for row in rows)  # of 120, 20 of each class
    answer = gankit_cli("evaluate", conditional, "--class", "green")
    assert answer.code == 2
    assert "there is no class 'green'" in answer.err
    with pytest.raises(GankitError, match="too few"):
        gankit.evaluate(conditional, "swd", label="red")
    assert not (conditional / "metrics.json").exists()


def test_evaluate_compares_a_class_with_its_own_pictures(conditional):
    prepared = only_class(prepare_again(gankit.load(conditional).run, load_registry()), 5)
    assert set(prepared.labels[[*prepared.train, *prepared.holdout]]) == {5}


def test_dry_run_lists_the_classes(gankit_run):
    answer = gankit_run("--class-labels", "--dry-run")
    assert answer.code == 0
    assert "6: red (" in answer.out
    assert "as often as in the data set" in answer.out


def test_a_config_takes_the_labels_but_not_the_names(conditional, gankit_cli, here):
    config = ("--config", conditional / "run.json", "--out", here / "again", "--steps", 1)
    assert gankit_cli("run", *config).code == 0
    again = json.loads((here / "again" / "run.json").read_text())
    assert again["class_names"] == list(COLOURS)
    without = ("--config", conditional / "run.json", "--no-class-labels", "--out", here / "plain")
    assert gankit_cli("run", *without, "--steps", 1).code == 0
    assert json.loads((here / "plain" / "run.json").read_text())["class_names"] == []


@pytest.mark.parametrize(
    "trick", ["none", "feature-matching", "minibatch-stddev", "freeze-d:layers=1"]
)
def test_a_plugins_table_of_classes_is_no_layer_of_pictures(trick, gankit_run, here):
    Path("mine.py").write_text(PROJECTION)
    words = ["--discriminator", "projection", "--class-labels", "--trick", trick]
    code, _, err = gankit_run(*words, before=("-p", "mine.py"))
    assert code == 0, err


def test_shards_have_no_classes(gankit_run, here):
    import tarfile

    Image.new("RGB", (16, 16)).save(here / "0.png")
    for number in range(2):
        with tarfile.open(here / f"{number}.tar", "w") as shard:
            shard.add(here / "0.png", "0.png")
    answer = gankit_run("--dataset", "shards", "--data", here / "{0..1}.tar", "--class-labels")
    assert answer.code == 2
    assert "shards have no class folders" in answer.err
