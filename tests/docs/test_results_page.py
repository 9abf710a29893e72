"""docs/results.md says what the kept races found, no more and no less."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def writer(docs_script, tmp_path, monkeypatch):
    """The script, which writes into a folder of the test's own."""
    module = docs_script("write_races")
    monkeypatch.setattr(module, "HERE", tmp_path)
    return module


@pytest.fixture
def race(tmp_path):
    """What a race of two variants left: kid 3, 4, 8 and 1, 1, 2."""
    folder = tmp_path / "elsewhere" / "flowers"
    folder.mkdir(parents=True)
    made = [
        {"variant": name, "seed": seed, "folder": f"/home/me/{name}-{seed}", "images": 1000 * many,
         "measured": {"kid": {"value": value, "better": "lower", "features": "floor 0.1"}}}
        for name, many, values in (("plain", 14, (3, 4, 8)), ("recipe", 88, (1, 1, 2)))
        for seed, value in enumerate(values)
    ]  # fmt: skip
    record = {"runs": made, "tables": [], "notes": ["Not equally many pictures: --lr-g 2 / 4."]}
    (folder / "results.json").write_text(json.dumps(record))
    Image.new("RGB", (2000, 500), "red").save(folder / "race.png")
    return folder


def test_a_race_is_kept_and_shown(writer, race, tmp_path):
    writer.keep(race)
    text = writer.page()
    assert "## Six minutes on flowers" in text
    assert "| the tutorials' DCGAN | 4.00 | 5.00 | - | - | the baseline |" in text
    assert "| small-data | 1.00 | 1.33 | -3.67 | -8.84 to +1.50 | no measurable" in text
    assert "the tutorials' DCGAN: 14 kimg, 3 seeds; small-data: 88 kimg, 3 seeds." in text
    assert "- Not equally many pictures: `--lr-g` 2 / 4." in text
    assert "images/s" not in text
    assert "stained cells" not in text  # no such race is kept
    with Image.open(tmp_path / "races" / "flowers.webp") as picture:
        assert picture.size == (1000, 250)


def test_a_long_table_ends_in_words(docs_script):
    summary = docs_script("write_races").summary
    verdicts = ["better", *4 * ["no measurable difference"], "worse"]
    rows = [(f"t{number}", verdict) for number, verdict in enumerate(verdicts)]
    assert summary(rows) == ["", "Better: t0. No measurable difference: t1, t2, t3, t4. Worse: t5."]
    assert summary(rows[:3]) == []


def test_nothing_that_only_its_machine_knows_is_kept(writer, race, tmp_path):
    writer.keep(race)
    assert "/home" not in (tmp_path / "races" / "flowers.json").read_text()


def test_what_follows_from_the_runs_is_computed_and_not_kept(writer, race, tmp_path):
    record = json.loads((race / "results.json").read_text())
    alike = [{**run, "variant": "again"} for run in record["runs"][:3]]
    record["runs"] += alike
    computed = writer.writing.notes_on_chance(writer.compared(writer.rows_of(record["runs"])))
    assert ["2 comparisons" in note for note in computed] == [True]
    record["notes"] += computed
    (race / "results.json").write_text(json.dumps(record))
    writer.keep(race)
    kept = json.loads((tmp_path / "races" / "flowers.json").read_text())
    assert kept.keys() == {"runs", "notes"}
    assert kept["notes"] == ["Not equally many pictures: --lr-g 2 / 4."]


def test_a_race_that_asks_nothing_is_refused(writer, race):
    with pytest.raises(SystemExit, match="other: say in ABOUT"):
        writer.keep(race.rename(race.parent / "other"))


def test_the_page_is_up_to_date(writer, monkeypatch):
    monkeypatch.setattr(writer, "HERE", DOCS)
    written = DOCS / "results.md"
    if not written.exists():
        pytest.skip("no race is kept yet")
    assert written.read_text(encoding="utf-8") == writer.page(), "run python docs/write_races.py"
    for name in re.findall(r"\]\((races/[^)]+)\)", writer.page()):
        assert (DOCS / name).exists()
