"""docs/gallery.md shows what the kept runs gave, with commands that make them."""

import dataclasses
import json
import os
import shlex
from pathlib import Path

import pytest
from PIL import Image

from gankit import compose
from gankit.cli.run import read_options
from gankit.core.registry import load_registry
from gankit.training.run_file import write_run

DOCS = Path(__file__).parents[2] / "docs"
KEPT = sorted(path.stem for path in (DOCS / "gallery").glob("*.json"))


@pytest.fixture
def writer(docs_script, tmp_path, monkeypatch):
    """The script, which writes into a folder of the test's own."""
    module = docs_script("write_gallery")
    monkeypatch.setattr(module, "HERE", tmp_path)
    return module


@pytest.fixture
def finished(tmp_path):
    """`finished("flowergan--cells", ...)`: the folder of a run of these settings, as if trained."""

    def make(name, shown=40_000, **asked):
        folder = tmp_path / "here" / name
        run = compose(**asked, out=str(folder), threads=2, precision="bf16")
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


def test_a_run_is_kept_and_shown(writer, finished, tmp_path):
    folder, _ = finished("flowergan--cells", recipe="flowergan", dataset="folder", data=["/my/p"])
    writer.keep(folder)
    text = writer.page()
    assert "## Stained cells\n" in text
    assert "**[flowergan](parts.md#flowergan)**" in text
    assert "gankit run --recipe flowergan --dataset folder --data cells`\n" in text
    for fact in ("40,000 pictures", "each of 578", "69 times", "7 minutes on 2 threads"):
        assert fact in text
    assert "## Flowers" not in text  # no such run is kept
    assert "/my" not in text + (tmp_path / "gallery" / "flowergan--cells.json").read_text()


@pytest.mark.parametrize(("size", "across"), [(32, 274), (64, 398), (128, 392)])
def test_its_picture_is_sharp_and_small(writer, finished, tmp_path, size, across):
    folder, _ = finished("dcgan64--petals", model="dcgan64", dataset="petals", image_size=size)
    writer.keep(folder)
    path = tmp_path / "gallery" / "dcgan64--petals.webp"
    assert path.stat().st_size <= writer.LARGEST
    with Image.open(path) as picture:
        assert picture.size == (across, across)  # 8, 6 and 3 whole pictures, not shrunk


@pytest.mark.parametrize(
    ("name", "asked"),
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
def test_its_command_asks_for_the_same_run(writer, finished, name, asked):
    _, run = finished(name, **asked)
    words = shlex.split(writer.command(*name.split("--"), run))
    again = read_options(words[2:], load_registry())
    decides = [f.name for f in dataclasses.fields(run) if f.name not in writer.SILENT]
    assert {key: getattr(again, key) for key in decides} == {
        key: getattr(run, key) for key in decides
    }


def test_a_run_that_is_no_such_recipe_is_refused(writer, finished):
    folder, _ = finished("flowergan--petals", recipe="small-data", dataset="petals")
    with pytest.raises(SystemExit, match="of skip64, but the recipe flowergan is flowergan64"):
        writer.keep(folder)


def test_a_folder_that_names_no_set_is_refused(writer, finished):
    folder, _ = finished("flowergan-1", recipe="flowergan", dataset="petals")
    with pytest.raises(SystemExit, match="call it NAME--SET, with a SET of petals, flowers, cells"):
        writer.keep(folder)


def test_a_run_that_was_stopped_is_refused(writer, finished):
    folder, run = finished("dcgan64--petals", model="dcgan64", dataset="petals")
    log = (folder / "log.csv").read_text().rpartition(f"\n{run.steps},")[0]
    (folder / "log.csv").write_text(log + "\n")
    with pytest.raises(SystemExit, match="stopped at step 10 of 625: --resume it first"):
        writer.keep(folder)


def test_the_page_is_what_the_script_writes(writer, monkeypatch):
    monkeypatch.setattr(writer, "HERE", DOCS)
    written = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert written == writer.page(), "run python docs/write_gallery.py"


@pytest.mark.parametrize("name", KEPT)
def test_every_kept_run_is_on_the_page(writer, name):
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    kept = json.loads((DOCS / "gallery" / f"{name}.json").read_text(encoding="utf-8"))
    assert f"```{{image}} gallery/{name}.webp\n" in text
    assert f"{{.command}}\n`{kept['command']}`\n" in text
    assert (DOCS / "gallery" / f"{name}.webp").stat().st_size <= writer.LARGEST
