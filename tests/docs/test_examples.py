"""The examples in races.md and measures.md are real output, and the text about them is true."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from gankit_race.stats import difference, holm

DOCS = Path(__file__).parents[2] / "docs"
OUTPUTS = DOCS / "outputs" / "examples"


@pytest.fixture
def run_examples(docs_script):
    return docs_script("run_examples")


def read_measures():
    """The table of measures: row name -> {metric: value}."""
    lines = (OUTPUTS / "measures.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines]
    metrics = table[0][1:]
    return {name: dict(zip(metrics, map(float, cells), strict=True)) for name, *cells in table[2:]}


def test_each_output_is_of_the_current_command(run_examples):
    for name, command in run_examples.COMMANDS.items():
        text = (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")
        assert text.startswith(f"$ {command}\n"), f"run python docs/run_examples.py {name}"
    for values in read_measures().values():
        assert values.keys() == set(run_examples.METRICS)


def test_each_example_is_on_a_page():
    pages = "".join((DOCS / page).read_text("utf-8") for page in ("races.md", "measures.md"))
    included = re.findall(r"^```{(?:literal)?include} (outputs/examples/.*)$", pages, re.MULTILINE)
    assert sorted(DOCS / name for name in included) == sorted(OUTPUTS.iterdir())


def test_the_first_seed_of_the_race_misleads():
    text = (OUTPUTS / "race.txt").read_text(encoding="utf-8")
    runs = re.findall(r"^run .*: (.*), seed (\d), .*\n  swd (\d+)", text, re.MULTILINE)
    swd = {(trick, int(seed)): int(value) for trick, seed, value in runs}
    differences = [swd["flip-labels", seed] - swd["no trick", seed] for seed in range(3)]
    assert differences[0] > 20 > max(differences[1:])
    assert re.search(r"^ flip-labels .* no measurable difference$", text, re.MULTILINE)


def test_the_example_by_hand_uses_the_numbers_of_the_race():
    """Compute each step of the example again, from the numbers that the race printed."""
    text = (OUTPUTS / "race.txt").read_text(encoding="utf-8")
    page = (DOCS / "races.md").read_text(encoding="utf-8")
    for variant in ("flip-labels", "no trick"):
        swd = re.findall(rf"^run .*: {variant}, seed \d, .*\n  swd (\d+)", text, re.MULTILINE)
        assert f"| `{variant}` | {' | '.join(swd)} |" in page
    change = difference({0: 154, 1: 154, 2: 148}, {0: 179, 1: 155, 2: 164})
    assert "| difference | {:+.0f} | {:+.0f} | {:+.0f} |".format(*change.each) in page
    assert f"= **{change.mean:.0f}**" in page
    assert f"**{change.low:.1f} to {change.high:+.1f}**" in page
    assert f"{change.p:.2f}" == "0.18"
    assert f"{holm([change.p, 0.9])[0]:.2f}" == "0.37"


def test_measures_move_as_the_page_says():
    measures = read_measures()
    fresh = measures["fresh flowers"]
    red = measures["red only, of six colours"]
    copies = measures["copies of training pictures"]
    blur = measures["a little blurred"]
    noise = measures["some noise (sigma 10 of 255)"]
    assert abs(fresh["kid"]) < 0.01
    assert fresh["fid"] > 10
    assert red["precision"] == pytest.approx(fresh["precision"], abs=0.05)
    assert red["recall"] < fresh["recall"] / 3
    assert noise["kid"] > 3 * blur["kid"]
    assert noise["diversity"] > fresh["diversity"] + 0.05
    for metric in ("kid", "precision", "recall", "density", "coverage", "diversity"):
        assert copies[metric] == pytest.approx(fresh[metric], abs=0.08)
    for name in ("copies of training pictures", "copies, blurred", "copies, moved by two pixels"):
        assert measures[name]["memorising"] > 0.9
    assert measures["two copies laid over each other"]["memorising"] < 0.5


def test_blur_and_noise_have_the_stated_strength(run_examples):
    noise = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert run_examples.blur(noise, 1.5).std() < run_examples.blur(noise, 0.7).std()
    assert run_examples.blur(noise, 0.7).std() < noise.std()
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    assert run_examples.add_noise(grey, 10).std() == pytest.approx(10, rel=0.05)


def test_the_kid_scale_shows_measured_values(run_examples):
    page = (DOCS / "measures.md").read_text(encoding="utf-8")
    shown = {}
    for part in page.split("On photographs of flowers"):
        scale = re.findall(r"^\| ([\d.]+) \| .*\(pictures/kid-(.*)\.webp\)", part, re.MULTILINE)
        values = [float(value) for value, _ in scale]
        assert len(values) > 1
        assert values == sorted(values)
        shown |= {name: float(value) for value, name in scale}
    record = json.loads((DOCS / "races" / "flowers.json").read_text(encoding="utf-8"))
    runs = [run["measured"]["kid"]["value"] for run in record["runs"] if run["seed"] == 0]
    measured = dict(zip(run_examples.RACE_GRIDS, runs, strict=True))
    measured |= {name: read_measures()[row]["kid"] for name, row in run_examples.STRIPS.items()}
    assert shown == pytest.approx(measured, rel=0.02, abs=0.001)
    assert all((DOCS / "pictures" / f"kid-{name}.webp").is_file() for name in shown)
