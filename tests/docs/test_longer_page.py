"""docs/longer.md shows long runs over time, from what is stored of them."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from gankit_metrics.measurement import Measurement
from gankit_metrics.metrics_file import add_metrics
from PIL import Image

from gankit import compose
from gankit.runs import log
from gankit.training.run_folder.run_file import write_run

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def writer(docs_script, tmp_path, monkeypatch):
    """The script as a module; it writes into a temporary folder."""
    module = docs_script("write_longer")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    monkeypatch.setattr(module, "STORE", tmp_path / "longer")
    return module


@pytest.fixture
def long_run(tmp_path):
    """The folder of a run that drew and measured after 25, 50 and 100 kimg."""
    folder = tmp_path / "runs" / "small-data--cells"
    run = compose(recipe="small-data", length="100 kimg", out=str(folder), threads=1, batch_size=50)
    run = dataclasses.replace(run, steps=2000, channels=3, precision="32", fingerprint="f")
    write_run(run, prepared={"pictures": 642, "train": 500, "holdout": 142, "skipped": []})
    (folder / "samples").mkdir()
    rows = []
    for step, colour in ((0, "white"), (500, "red"), (1000, "green"), (2000, "blue")):
        Image.new("RGB", (530, 530), colour).save(folder / "samples" / f"{step:06d}.png")
        rows.append({"step": step, "kimg": step / 20, "seconds": 1.8 * step})
    log.write_rows(folder, ["step", "kimg", "seconds"], rows)
    for step, value in ((1000, 0.5), (2000, 0.25)):
        numbers = {"value": value, "low": value - 0.125, "high": value + 0.125, "floor": -1e-6}
        about = {"samples": 500, "reference": 142, "better": "lower", "features": "", "note": ""}
        measured = Measurement(metric="kid", step=step, seconds=1, picture="", **numbers, **about)
        add_metrics(folder, [measured])
    return folder


def test_the_page_is_that_of_the_stored_runs(docs_script):
    writer = docs_script("write_longer")
    assert (DOCS / "longer.md").read_text(encoding="utf-8") == writer.page()


def test_a_run_is_stored_and_shown_over_time(writer, long_run):
    writer.add_run(long_run)
    text = writer.page()
    assert "From top to bottom after 25, 50, 100 thousand pictures" in text
    assert "D was shown 100 thousand pictures, each of 500 about 200 times: about 5 minutes" in text
    assert "this run took 1.0 hours" in text
    assert "| thousand pictures | kid (floor 0) |" in text
    assert "| 50 | 0.5 (0.375 to 0.625) |\n| 100 | 0.25 (0.125 to 0.375) |" in text
    with Image.open(writer.STORE / "small-data--cells-time.webp") as picture:
        rows = [picture.convert("RGB").getpixel((20, 20 + 66 * row)) for row in range(3)]
    assert [colour.index(max(colour)) for colour in rows] == [0, 1, 2]  # red, green, blue
    with Image.open(writer.STORE / "small-data--cells.webp") as newest:
        assert newest.size == (530, 530)


def test_other_seeds_are_columns_and_thin_lines(writer, long_run):
    writer.add_run(long_run)
    other = long_run.with_name("small-data--cells--1")
    shutil.copytree(long_run, other)
    run = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**run, "seed": 1}))
    writer.add_run(other)
    writer.write_charts()
    text = writer.page()
    assert text.count("## Stained cells") == 1
    assert "| thousand pictures | kid, seed 0 | kid, seed 1 |" in text
    assert "| 50 | 0.5 | 0.5 |" in text
    svg = (writer.STORE / "small-data--cells.svg").read_text()
    assert svg.count('stroke="#3b82c4" stroke-width="2"') == 1
    assert svg.count('stroke="#3b82c4" stroke-width="0.8"') == 1


def test_the_chart_shows_values_and_intervals_at_their_place(writer):
    rows = [
        {"kimg": 50, "value": 1.0, "low": 0.5, "high": 2.0, "floor": 0.0},
        {"kimg": 100, "value": 0.5, "low": 0.5, "high": 0.5, "floor": 0.0},
    ]
    svg = writer.chart(rows)
    assert '<polyline points="320.0,120.0 596.0,158.0"' in svg
    assert '<polygon points="320.0,44.0 596.0,158.0 596.0,158.0 320.0,158.0"' in svg
    assert "100 kimg" in svg


def test_a_folder_of_another_name_is_refused(writer, long_run):
    other = long_run.rename(long_run.with_name("cells"))
    with pytest.raises(SystemExit, match="call it NAME--SET"):
        writer.add_run(other)


def test_the_stored_facts_name_no_folder_of_a_machine():
    for path in (DOCS / "longer").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["command"].startswith("gankit run ")
        assert "/" not in record["command"]
