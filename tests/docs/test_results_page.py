"""docs/results.md shows the stored races."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def writer(docs_script, tmp_path, monkeypatch):
    """The script as a module; it writes into a temporary folder."""
    module = docs_script("write_races")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    return module


@pytest.fixture
def race(tmp_path):
    """The folder of a race of two variants: kid 3, 4, 8 and 1, 1, 2."""
    folder = tmp_path / "elsewhere" / "flowers"
    folder.mkdir(parents=True)
    runs = []
    for variant, kimg, kids in (("plain", 14, (3, 4, 8)), ("recipe", 88, (1, 1, 2))):
        for seed, kid in enumerate(kids):
            run = {
                "variant": variant,
                "seed": seed,
                "folder": f"/home/me/{variant}-{seed}",
                "images": 1000 * kimg,
                "measured": {"kid": {"value": kid, "better": "lower", "features": "floor 0.1"}},
            }
            runs.append(run)
    record = {"runs": runs, "tables": [], "notes": ["Not equally many pictures: --lr-g 2 / 4."]}
    (folder / "results.json").write_text(json.dumps(record))
    Image.new("RGB", (2000, 500), "red").save(folder / "race.png")
    return folder


def test_a_race_is_stored_and_shown(writer, race, tmp_path):
    writer.add_race(race)
    text = writer.page()
    assert "## Six minutes on flowers" in text
    assert "| the tutorials' DCGAN | 4.00 | 5.00 | - | - | the baseline |" in text
    assert "| small-data | 1.00 | 1.33 | -3.67 | -8.84 to +1.50 | no measurable" in text
    assert "the tutorials' DCGAN: 14 kimg, 3 seeds; small-data: 88 kimg, 3 seeds." in text
    assert "- Not equally many pictures: `--lr-g` 2 / 4." in text
    assert "images/s" not in text
    assert "stained cells" not in text  # no race on cells is stored
    with Image.open(tmp_path / "races" / "flowers.webp") as picture:
        assert picture.size == (1000, 250)


def test_a_summary_lists_the_variants_of_each_verdict(writer):
    verdicts = ["better", *4 * ["no measurable difference"], "worse"]
    rows = [(f"t{number}", verdict) for number, verdict in enumerate(verdicts)]
    expected = "Better: t0. No measurable difference: t1, t2, t3, t4. Worse: t5."
    assert writer.summarize(rows) == expected


def test_paths_of_the_machine_are_not_stored(writer, race, tmp_path):
    writer.add_race(race)
    assert "/home" not in (tmp_path / "races" / "flowers.json").read_text()


def test_notes_computed_from_the_runs_are_not_stored(writer, race, tmp_path):
    record = json.loads((race / "results.json").read_text())
    record["runs"] += [{**run, "variant": "again"} for run in record["runs"][:3]]
    tables = writer.make_all_tables(writer.make_rows(record["runs"]))
    computed = writer.race_notes.notes_on_chance(tables)
    assert ["2 comparisons" in note for note in computed] == [True]
    record["notes"] += computed
    (race / "results.json").write_text(json.dumps(record))
    writer.add_race(race)
    stored = json.loads((tmp_path / "races" / "flowers.json").read_text())
    assert stored.keys() == {"runs", "notes"}
    assert stored["notes"] == ["Not equally many pictures: --lr-g 2 / 4."]


def test_a_race_without_a_description_is_refused(writer, race):
    with pytest.raises(SystemExit, match="other: .*RACES"):
        writer.add_race(race.rename(race.parent / "other"))


def test_the_page_is_up_to_date(writer, monkeypatch):
    monkeypatch.setattr(writer, "DOCS", DOCS)
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    assert text == writer.page(), "run python docs/write_races.py"
    for name in re.findall(r"\]\((races/[^)]+)\)", text):
        assert (DOCS / name).exists()
