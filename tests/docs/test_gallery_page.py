"""docs/gallery.md shows the stored runs, with commands that repeat them."""

import dataclasses
import json
import os
import shlex
from pathlib import Path

import pytest
from PIL import Image

from gankit import compose
from gankit.cli.run.command import read_options
from gankit.core.parts.registry import load_registry
from gankit.training.run_folder.run_file import write_run

DOCS = Path(__file__).parents[2] / "docs"
STORED_RUNS = sorted(path.stem for path in (DOCS / "gallery").glob("*.json"))


@pytest.fixture
def writer(docs_script, tmp_path, monkeypatch):
    """The script as a module; it writes into a temporary folder."""
    module = docs_script("write_gallery")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    return module


@pytest.fixture
def finished_run(tmp_path):
    """`finished_run("flowergan--cells", ...)`: the folder of a run, as if trained."""

    def make(name, shown=40_000, **settings):
        folder = tmp_path / "runs" / name
        run = compose(**settings, out=str(folder), threads=2, precision="bf16")
        run = dataclasses.replace(run, steps=shown // run.batch_size, channels=3, fingerprint="f")
        write_run(run, prepared={"pictures": 642, "train": 578, "holdout": 64, "skipped": []})
        (folder / "samples").mkdir()
        size = 8 * (run.image_size + 2) + 2
        noise = Image.frombytes("RGB", (size, size), os.urandom(3 * size * size))
        noise.save(folder / "samples" / f"{run.steps:06d}.png")
        log = f"step,kimg,seconds\n10,1.28,9.5\n{run.steps},{shown / 1000},400.4\n"
        (folder / "log.csv").write_text(log)
        return folder, run

    return make


def test_a_run_is_stored_and_shown(writer, finished_run, tmp_path):
    folder, _ = finished_run(
        "flowergan--cells", recipe="flowergan", dataset="folder", data=["/my/p"]
    )
    writer.add_run(folder)
    text = writer.page()
    assert "## Stained cells\n" in text
    assert "**[flowergan](parts.md#flowergan)**" in text
    assert "gankit run --recipe flowergan --dataset folder --data cells`\n" in text
    for fact in ("40,000 pictures", "each of 578", "69 times", "7 minutes on 2 threads"):
        assert fact in text
    assert "## Flowers" not in text  # no run on flowers is stored
    assert "/my" not in text + (tmp_path / "gallery" / "flowergan--cells.json").read_text()


@pytest.mark.parametrize(("image_size", "side"), [(32, 274), (64, 398), (128, 392)])
def test_its_picture_is_cropped_and_small(writer, finished_run, tmp_path, image_size, side):
    folder, _ = finished_run(
        "dcgan64--petals", model="dcgan64", dataset="petals", image_size=image_size
    )
    writer.add_run(folder)
    path = tmp_path / "gallery" / "dcgan64--petals.webp"
    assert path.stat().st_size <= writer.MAX_BYTES
    with Image.open(path) as picture:
        assert picture.size == (side, side)  # 8, 6 and 3 whole pictures, not shrunk


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("small-data--petals", {"recipe": "small-data", "dataset": "petals"}),
        ("small-data--cells", {"recipe": "small-data", "data": ["cells"], "length": "40 kimg"}),
        ("skip64--petals", {}),
        ("art-interactive--petals", {"recipe": "art-interactive", "dataset": "petals"}),
        (
            "flowers102-tf--paintings",
            {"recipe": "flowers102-tf", "dataset": "folder", "data": ["paintings"], "seed": 3,
             "batch_size": 64, "flip": True, "tricks": ["ema", "r1:gamma=2"], "holdout": 0.25},
        ),
    ],
)  # fmt: skip
def test_its_command_makes_the_same_run(writer, finished_run, name, settings):
    _, run = finished_run(name, **settings)
    argv = shlex.split(writer.make_command(*name.split("--"), run))
    repeated = read_options(argv[2:], load_registry())
    for field in dataclasses.fields(run):
        if field.name not in writer.HIDDEN_SETTINGS:
            assert getattr(repeated, field.name) == getattr(run, field.name), field.name


def test_a_run_of_another_model_than_the_recipe_is_refused(writer, finished_run):
    folder, _ = finished_run("flowergan--petals", recipe="small-data", dataset="petals")
    with pytest.raises(SystemExit, match=r"skip64.* flowergan .*flowergan64"):
        writer.add_run(folder)


def test_a_folder_without_a_set_in_its_name_is_refused(writer, finished_run):
    folder, _ = finished_run("flowergan-1", recipe="flowergan", dataset="petals")
    with pytest.raises(SystemExit, match="flowergan-1.*NAME--SET.*petals, flowers, cells"):
        writer.add_run(folder)


def test_a_stopped_run_is_refused(writer, finished_run):
    folder, run = finished_run("dcgan64--petals", model="dcgan64", dataset="petals")
    log = (folder / "log.csv").read_text().rpartition(f"\n{run.steps},")[0]
    (folder / "log.csv").write_text(log + "\n")
    with pytest.raises(SystemExit, match="step 10 of 625.*--resume"):
        writer.add_run(folder)


def test_the_page_is_up_to_date(writer, monkeypatch):
    monkeypatch.setattr(writer, "DOCS", DOCS)
    written = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert written == writer.page(), "run python docs/write_gallery.py"


@pytest.mark.parametrize("name", STORED_RUNS)
def test_every_stored_run_is_on_the_page(writer, name):
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    record = json.loads((DOCS / "gallery" / f"{name}.json").read_text(encoding="utf-8"))
    assert f"```{{image}} gallery/{name}.webp\n" in text
    assert f"{{.command}}\n`{record['command']}`\n" in text
    assert (DOCS / "gallery" / f"{name}.webp").stat().st_size <= writer.MAX_BYTES
