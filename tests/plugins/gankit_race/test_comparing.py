"""`gankit compare`: runs that exist, grouped, paired, and with warnings where they are due."""

import json
import re
from types import SimpleNamespace

import pytest
from gankit_race.comparing import compare
from gankit_race.format import interval, number
from gankit_race.notes import notes
from gankit_race.results import Row, tables

import gankit
from gankit import GankitError, compose, train
from gankit.core.errors import RunStopped


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    """5 for a run without tricks, 3 with; more for each seed, nearly the same for both."""

    def evaluate(folder, metrics, *, samples, registry, progress):
        run = json.loads((folder / "run.json").read_text())
        value = (3.0 + 0.1 * run["seed"] if run["tricks"] else 5.0) + run["seed"] ** 2
        numbers = {"value": value, "low": value - 0.1, "high": value + 0.1, "floor": 0.5}
        about = {"samples": samples, "reference": 9, "against": "", "features": "", "note": ""}
        return [SimpleNamespace(metric=m, better="lower", **numbers, **about) for m in metrics]

    monkeypatch.setattr("gankit_race.comparing.evaluate", evaluate)
    monkeypatch.setattr("gankit.runs.video.write_video", lambda *args, **named: None)


@pytest.fixture
def run_of(registry, tiny, here):
    """`run_of("a", seed=1)`: a run of two steps in the folder a."""

    def build(name, stop=lambda: 0, **asked):
        asked = {"tricks": "none", "length": "2 steps", "log_every": 1, "out": name, **asked}
        return train(compose(registry, **tiny(**asked)), registry, stop=stop)

    return build


@pytest.fixture
def compared(gankit_cli):
    """`compared("a", "b")`: what `gankit compare` says of runs that can be compared."""

    def call(*words):
        code, out, err = gankit_cli("compare", "--metric", "swd", *words)
        assert (code, err) == (0, "")
        return out

    return call


def test_runs_that_differ_only_in_seed_are_one_variant(run_of, compared, here):
    for seed in (0, 1, 2):
        run_of(f"plain-{seed}", seed=seed)
        run_of(f"ema-{seed}", seed=seed, tricks="ema")
    out = compared(*(f"{name}-{seed}" for name in ("plain", "ema") for seed in (0, 1, 2)))
    assert re.search(r"^ no trick +6\.67 +the baseline +$", out, re.M)
    assert re.search(r"^ ema +4\.77 +-1\.90 +-2\.15 to -1\.65 +better +$", out, re.M)
    assert "differs from the baseline" not in out
    folder = here / "races" / "compare-1"
    assert {path.name for path in folder.iterdir()} == {
        "race.html", "race.png", "results.json", "results.csv",
    }  # fmt: skip
    assert (folder / "race.html").read_text().count('<img src="data:') == 6


def test_what_makes_a_comparison_unfair_is_said(run_of, compared):
    run_of("a")
    run_of("b", batch_size=4, lr_g=0.1, length="3 steps")
    run_of("c", dataset="petals:count=80", tricks="ema")
    out = compared("a", "b", "c", "--out", "there")
    flat = " ".join(out.split())
    assert (
        "- petals:count=64, no trick, batch-size 4, lr-g 0.1 differs from the baseline in 2 "
        "settings, so the cause may be any of them: --batch-size 8 / 4, --lr-g 0.0002 / 0.1."
    ) in flat
    assert "--dataset petals:count=64 / petals:count=80" in flat
    assert "The variants do not learn from the same pictures" in flat
    assert "The runs did not see equally many pictures (in thousands)" in flat
    assert "One seed says nothing about the next" in flat
    assert "no verdict from one seed" in flat


def test_another_model_is_one_decision(run_of, compared):
    run_of("a")
    run_of("b", model="dcgan64:base_channels=2")
    out = " ".join(compared("a", "b").split())
    assert "dcgan64:base_channels=2" in out
    assert "differs from the baseline" not in out
    assert "The networks differ, so their first weights do" in out


def test_runs_of_different_length_are_different_variants(run_of, compared):
    run_of("a")
    run_of("b", length="4 steps")
    out = compared("a", "b")
    assert re.search(r"^ 0\.016 kimg .* the baseline +$", out, re.M)
    assert re.search(r"^ 0\.032 kimg ", out, re.M)


def test_other_seeds_are_compared_without_pairing(run_of, compared):
    for seed in (0, 1):
        run_of(f"a{seed}", seed=seed)
        run_of(f"b{seed}", seed=seed + 2, tricks="ema")
    out = " ".join(compared("a0", "a1", "b0", "b1").split())
    assert "ema: fewer than two seeds are shared with the baseline" in out
    assert "no measurable difference" in out


def test_an_unfinished_run_is_compared_where_it_stands(run_of, compared):
    run_of("a", length="4 steps")
    stops = iter([0, 2])
    with pytest.raises(RunStopped):
        run_of("b", tricks="ema", length="4 steps", stop=lambda: next(stops))
    out = " ".join(compared("a", "b").split())
    assert "b is not finished: step 2 of 4." in out
    assert "(in thousands): no trick 0.032; ema 0.016." in out


def test_a_race_stands_for_its_runs(gankit_cli, compared, here):
    tiny = ("--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--steps", 1)
    more = ("--image-size", 16, "--batch-size", 8, "--metric", "swd", "--seeds", 2, "--out", "r")
    code, _, err = gankit_cli("race", "--vary", "trick=none,ema", *tiny, *more)
    assert (code, err) == (0, "")
    out = compared("r", "--out", "c")
    assert re.search(r"^ no trick .* the baseline +$", out, re.M)  # as it was in the race
    assert re.search(r"^ ema +.* better +$", out, re.M)
    assert not (here / "r" / "run.json").exists()


def test_the_same_run_twice_counts_once(run_of, compared):
    run_of("a")
    run_of("again")
    run_of("b", tricks="ema")
    out = " ".join(compared("a", "again", "b").split())
    assert "again has settings and seed of a; it is left out." in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "other-seed"], "these runs differ in nothing but their seed: there is nothing to"),
        (["a"], "these runs differ in nothing but their seed"),
        (["nowhere"], "there is no run at nowhere: No such file or directory"),
        (["a", "b", "--metric", "kidd"], "there is no metric 'kidd'"),
        (["a", "bare"], "bare has no checkpoint yet, so there is nothing to compare"),
        (["a", "b", "--out", "a"], "a holds a run, no race: choose another --out"),
    ],
)
def test_mistakes(words, message, run_of, gankit_cli, here):
    run_of("a")
    run_of("other-seed", seed=1)
    run_of("b", tricks="ema")
    (here / "bare").mkdir()
    (here / "bare" / "run.json").write_bytes((here / "b" / "run.json").read_bytes())
    code, out, err = gankit_cli("compare", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"gankit: {message}")
    assert err.count("\n") == 1


def test_from_python(run_of, here):
    run_of("a")
    run_of("b", tricks="ema")
    folder = compare("a", here / "b", metrics=["swd"], out="c")
    assert folder == gankit.compare("a", "b", metrics=["swd"], out="c")
    runs = json.loads((here / "c" / "results.json").read_text())["runs"]
    assert [run["variant"] for run in runs] == ["no trick", "ema"]
    with pytest.raises(GankitError, match="nothing but their seed"):
        compare("a", "a")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (12.345, "12.3"), (-0.01234, "-0.0123"), (123456.0, "1.23e+05"),
     (3.2e-7, "3.20e-07"), (999.9, "1000"), (None, "-"), (float("nan"), "-")],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_intervals():
    assert interval(-0.5, 1.25) == "-0.500 to +1.25"
    assert interval(None, None) == "-"


def test_a_note_of_numbers_is_shown_where_most_runs_agree(registry):
    said = ("only 60 of 200 kinds", "only 60 of 200 kinds", "fine to coarse 5.1, 4.2", "blurred")
    variants = [("a", compose(registry))]
    rows = [
        Row(
            variant="a",
            seed=seed,
            folder="",
            measured={"swd": {"value": 5.0, "low": 4.0, "high": 6.0, "note": note}},
        )
        for seed, note in enumerate((*said, said[2], said[0]))
    ]
    found = [
        note for note in notes(variants, rows, tables(["a"], rows), 6) if note.startswith("swd")
    ]
    assert found == ["swd, 1 of 6 runs: blurred."]
    found = notes(variants, rows[:3], tables(["a"], rows[:3]), 3)
    assert "swd, 2 of 3 runs: only 60 of 200 kinds." in found
    assert not [
        note
        for note in notes(variants, rows[:1], tables(["a"], rows[:1]), 1)
        if note.startswith("swd")
    ]
