"""`gankit compare`: trained runs are grouped by variant, paired by seed, and warned about."""

import json
import re
import signal
from types import SimpleNamespace

import pytest
import torch
from gankit_race.comparing import compare
from gankit_race.report.format import format_interval, format_number
from gankit_race.report.notes import all_notes
from gankit_race.results import Row, make_tables
from gankit_race.stats import NO_DIFFERENCE, NO_RESULT, NOT_JUDGED, ONE_SEED

import gankit
from gankit import GankitError, compose, train
from gankit.core.errors import RunStopped


@pytest.fixture(autouse=True)
def fake_evaluate(monkeypatch):
    """5 for a run without tricks, 3 with; more for each seed, nearly the same for both."""

    def evaluate(folder, metrics, *, samples, registry, progress, data):
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

    def build(name, stop=lambda: 0, **settings):
        settings = {"tricks": "none", "length": "2 steps", "log_every": 1, "out": name, **settings}
        return train(compose(registry, **tiny(**settings)), registry, stop=stop)

    yield build
    torch.set_num_threads(1)  # a run with `threads` has set them


@pytest.fixture
def compared(gankit_cli):
    """`compared("a", "b")`: the output of `gankit compare a b`."""

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
    assert " 2 settings" not in out
    folder = here / "races" / "compare-1"
    assert {path.name for path in folder.iterdir()} == {
        "race.html", "race.png", "results.json", "results.csv",
    }  # fmt: skip
    assert (folder / "race.html").read_text().count('<img src="data:') == 6


def test_what_gankit_chooses_does_not_make_another_variant(run_of, compared):
    """As --budget does: each run has its own length, and what its computer is fast with."""
    for seed, (steps, threads, precision) in enumerate([(2, 1, "32"), (3, 2, "bf16")]):
        chosen = {"threads": threads, "precision": precision, "earlier_plans": (f"1:{9 + seed}",)}
        for name, tricks in (("plain", "none"), ("ema", "ema")):
            run_of(f"{name}{seed}", seed=seed, tricks=tricks, length=f"{steps} steps", **chosen)
    out = compared("plain0", "plain1", "ema0", "ema1")
    assert re.search(r"^ no trick +5\.50 +the baseline +$", out, re.M)
    assert re.search(r"^ ema +3\.55 +-1\.95 ", out, re.M)
    assert "no trick 0.016, 0.024; ema 0.016, 0.024" in " ".join(out.split())
    assert "settings" not in out
    assert "no trick: its runs were trained in different precisions, 32 and bf16." in out


def test_runs_that_differ_in_seed_and_precision_alone_are_no_comparison(run_of, gankit_cli):
    run_of("a", seed=0, precision="32")
    run_of("b", seed=1, precision="bf16")
    code, _, err = gankit_cli("compare", "a", "b", "--metric", "swd")
    assert (code, err.count("\n")) == (2, 1)
    assert "differ only in their seed and in --precision: to compare these, give runs of the" in err


def test_what_was_measured_makes_no_other_variant(run_of, compared, gankit_cli):
    for name, tricks in (("plain", "none"), ("ema", "ema")):
        for seed in (0, 1):
            run_of(f"{name}{seed}", seed=seed, tricks=tricks)
    assert gankit_cli("run", "--resume", "plain1", "--steps", 4, "--metric", "swd").code == 0
    assert gankit_cli("run", "--resume", "plain0", "--steps", 4).code == 0
    out = compared("plain0", "plain1", "ema0", "ema1")
    assert re.search(r"^ no trick +\d\.\d+ +the baseline +$", out, re.M)
    assert "stage" not in out


def test_what_gankit_chooses_counts_if_runs_of_a_seed_differ_in_nothing_else(run_of, compared):
    for seed in (0, 1):
        for threads in (1, 2):
            run_of(f"{threads}-{seed}", seed=seed, threads=threads)
    out = compared("1-0", "1-1", "2-0", "2-1")
    assert re.search(r"^ threads 1 +5\.50 +the baseline", out, re.M)
    assert re.search(r"^ threads 2 .*\+0\.00 ", out, re.M)


def test_a_run_that_patience_ended_is_finished(run_of, compared, here, monkeypatch):
    monkeypatch.setattr(
        "gankit.training.checkpoints.best.Score.is_better_than", lambda *scores: False
    )
    patient = {"keep_best": "swd", "patience": 1, "measure_every": 1, "length": "9 steps"}
    run_of("a", **patient)
    run_of("b", tricks="ema", **patient)
    out = compared("a", "b")
    assert not (here / "a" / "samples" / "000009.png").exists()
    assert "not finished" not in out


def test_a_run_that_was_never_trained_may_have_any_pictures(run_of, compared, here):
    run_of("trained")
    run_of("new", length="1 steps")
    record = json.loads((here / "new" / "run.json").read_text())
    auto = {"device": "auto", "precision": "auto", "threads": 0, "fingerprint": ""}
    (here / "new" / "run.json").write_text(json.dumps({**record, **auto}))  # as gankit import does
    out = compared("new", "trained")
    assert re.search(r"^ 0\.008 kimg .* the baseline +$", out, re.M)
    assert re.search(r"^ 0\.016 kimg ", out, re.M)
    assert "different pictures" not in out


def test_the_page_has_the_command_that_repeats_the_comparison(run_of, gankit_cli, here):
    run_of("a")
    run_of("b", tricks="ema")
    (here / "extra.py").write_text(
        "from gankit import hookimpl\n\n\n@hookimpl\ndef run_started(run):\n    pass\n"
    )
    words = ("compare", "a", "b", "--metric", "swd", "--samples", 40, "--data", "my pictures")
    assert gankit_cli("-p", "extra.py", *words, "--out", "c").code == 0
    command = (
        "gankit -p extra.py compare a b --metric swd --samples 40 --data &#39;my pictures&#39;"
    )
    assert command in (here / "c" / "race.html").read_text()


def test_warnings_of_an_unfair_comparison(run_of, compared):
    run_of("a")
    run_of("b", batch_size=4, lr_g=0.1, length="3 steps")
    run_of("c", dataset="petals:count=80", tricks="ema")
    out = compared("a", "b", "c", "--out", "there")
    flat = " ".join(out.split())
    variant = "petals:count=64, no trick, batch-size 4, lr-g 0.1"
    assert re.search(f"- {variant} .* 2 settings.*: --batch-size 8 / 4, --lr-g 0.0002 / 0.1", flat)
    assert "--dataset petals:count=64 / petals:count=80" in flat
    assert "different pictures" in flat
    assert f"{variant} 0.012" in flat  # thousands of pictures
    assert "--seeds 3" in flat
    assert ONE_SEED in flat


def test_another_model_is_one_decision(run_of, compared):
    run_of("a")
    run_of("b", model="dcgan64:base_channels=2")
    out = " ".join(compared("a", "b").split())
    assert "dcgan64:base_channels=2" in out
    assert "settings" not in out
    assert "different networks" in out


def test_runs_of_different_length_are_different_variants(run_of, compared):
    run_of("a")
    run_of("b", length="4 steps")
    out = compared("a", "b")
    assert re.search(r"^ 0\.016 kimg .* the baseline +$", out, re.M)
    assert re.search(r"^ 0\.032 kimg ", out, re.M)


def test_a_run_with_stages_says_what_it_changed(run_of, compared, gankit_cli):
    for name in ("a", "b"):
        run_of(name)
    assert (
        gankit_cli("run", "--resume", "a", "--lr-g", 0.001, "--trick", "ema", "--steps", 4)[0] == 0
    )
    assert gankit_cli("run", "--resume", "b", "--steps", 4).code == 0
    out = " ".join(compared("a", "b").split())
    assert "(until step 2: tricks none, lr-g 0.0002) / no stages" in out
    assert "--stages" not in out


def test_a_run_without_a_base_is_compared_with_one_that_has_one(run_of, compared):
    run_of("base")
    run_of("new", seed=1)
    run_of("begun", seed=1, init="base")
    out = compared("new", "begun")
    assert re.search(r"^ init none .* the baseline +$", out, re.M)
    assert re.search(r"^ init base:2@[0-9a-f]{12} ", out, re.M)


def test_a_base_that_was_moved_is_the_same_base(run_of, compared, here):
    run_of("base")
    run_of("other-base", lr_g=1e-3)
    run_of("new", seed=1)
    run_of("begun", seed=1, init="base")
    (here / "base").rename(here / "moved")
    run_of("begun-later", seed=2, init="moved")
    out = compared("new", "begun", "begun-later")
    assert re.search(r"^ init base:2@[0-9a-f]{12} .*\(2\)", out, re.M)  # two seeds of it
    assert "moved:" not in out
    run_of("begun-otherwise", seed=2, init="other-base")
    assert "init other-base:2" in compared("new", "begun", "begun-otherwise")


def test_a_repetition_is_not_a_run_of_another_seed(run_of, gankit_cli):
    run_of("a")
    run_of("b")
    run_of("c", seed=1)
    run_of("d", seed=1, length="3 steps")
    assert "one repeats the other" in gankit_cli("compare", "a", "b").err
    assert "runs of the same seed" in gankit_cli("compare", "a", "d").err
    assert "only in their seed" in gankit_cli("compare", "a", "c").err


def test_other_seeds_are_compared_without_pairing(run_of, compared):
    for seed in (0, 1):
        run_of(f"a{seed}", seed=seed)
        run_of(f"b{seed}", seed=seed + 2, tricks="ema")
    out = " ".join(compared("a0", "a1", "b0", "b1").split())
    assert re.search("ema: .* Welch", out)
    assert NO_DIFFERENCE in out


def test_an_unfinished_run_is_compared_at_its_last_checkpoint(run_of, compared):
    run_of("a", length="4 steps")
    stops = iter([0, signal.SIGINT])
    with pytest.raises(RunStopped):
        run_of("b", tricks="ema", length="4 steps", stop=lambda: next(stops))
    out = " ".join(compared("a", "b").split())
    assert re.search(r"\bb is not finished.* 2 of 4\b", out)
    assert "no trick 0.032; ema 0.016" in out


def test_the_folder_of_a_race_means_its_runs(gankit_cli, compared, here):
    tiny = ("--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--steps", 1)
    more = ("--image-size", 16, "--batch-size", 8, "--metric", "swd", "--seeds", 2, "--out", "r")
    code, _, err = gankit_cli("race", "--vary", "trick=none,ema", *tiny, *more)
    assert (code, err) == (0, "")
    out = compared("r", "--out", "c")
    assert re.search(r"^ no trick .* the baseline +$", out, re.M)  # as it was in the race
    assert re.search(r"^ ema +.* better +$", out, re.M)
    assert not (here / "r" / "run.json").exists()


def test_a_run_of_a_race_without_a_checkpoint_has_failed(gankit_cli, compared, here):
    tiny = ("--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--steps", 1)
    more = ("--image-size", 16, "--batch-size", 8, "--metric", "swd", "--seeds", 2, "--out", "r")
    assert gankit_cli("race", "--vary", "trick=none,ema", *tiny, *more).code == 0
    for file in (here / "r" / "ema" / "seed-1" / "checkpoints").glob("step-*"):
        file.rename(here / file.name)
    out = compared("r", "--out", "c")
    assert "- ema, seed 1: has no checkpoint that can be compared" in out
    assert re.search(r"^ ema +3\.00 \(1\) ", out, re.M)


def test_the_same_run_twice_counts_once(run_of, compared):
    run_of("a")
    run_of("again")
    run_of("b", tricks="ema")
    out = " ".join(compared("a", "again", "b").split())
    assert re.search(r"\bagain is ignored: .* seed as a\.", out)


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        (["a", "other-seed"], ["only in their seed"]),
        (["nowhere"], ["nowhere", "No such file or directory"]),
        (["a"], ["one run", "two or more"]),
        (["a", "b", "--metric", "kidd"], ["'kidd'", "'kid'"]),
        (["a", "bare"], ["bare", "checkpoint"]),
        (["a", "b", "--out", "a"], ["a already holds a run", "--out"]),
    ],
)
def test_mistakes(words, facts, run_of, gankit_cli, here):
    run_of("a")
    run_of("other-seed", seed=1)
    run_of("b", tricks="ema")
    (here / "bare").mkdir()
    (here / "bare" / "run.json").write_bytes((here / "b" / "run.json").read_bytes())
    code, out, err = gankit_cli("compare", *words)
    assert (code, out) == (2, "")
    assert err.startswith("gankit: ")
    assert err.count("\n") == 1
    assert [fact for fact in facts if fact not in err] == []


def test_from_python(run_of, here):
    run_of("a")
    run_of("b", tricks="ema")
    folder = compare("a", here / "b", metrics=["swd"], out="c")
    assert folder == gankit.compare("a", "b", metrics=["swd"], out="c")
    runs = json.loads((here / "c" / "results.json").read_text())["runs"]
    assert [run["variant"] for run in runs] == ["no trick", "ema"]
    with pytest.raises(GankitError):
        compare("a", "a")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (12.345, "12.3"), (-0.01234, "-0.0123"), (123456.0, "1.23e+05"),
     (3.2e-7, "3.20e-07"), (999.9, "1000"), (None, "-"), (float("nan"), "-")],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert format_number(value) == text


def test_intervals():
    assert format_interval(-0.5, 1.25) == "-0.500 to +1.25"
    assert format_interval(None, None) == "-"


def test_a_note_with_numbers_is_shown_if_most_runs_have_it(registry):
    few = "only 60 of 200 kinds"
    levels = "levels 5.1, 4.2"
    run_notes = [few, few, levels, "blurred", levels, few]
    variants = [("a", compose(registry))]
    rows = [
        Row(
            variant="a",
            seed=seed,
            folder="",
            measured={"swd": {"value": 5.0, "low": 4.0, "high": 6.0, "note": note}},
        )
        for seed, note in enumerate(run_notes)
    ]

    def notes_on_swd(count):
        notes = all_notes(variants, rows[:count], make_tables(["a"], rows[:count]), count)
        return [note for note in notes if note.startswith("swd")]

    assert notes_on_swd(6) == ["swd, 1 of 6 runs: blurred."]
    assert notes_on_swd(3) == [f"swd, 2 of 3 runs: {few}."]
    assert notes_on_swd(1) == []


def speed_rows(speeds):
    """A run for each speed in images a second; variant -> its speeds, one for each seed."""
    return [
        Row(variant=variant, seed=seed, folder="", images=1000, seconds=1000 / speed)
        for variant, of_seeds in speeds.items()
        for seed, speed in enumerate(of_seeds)
    ]


@pytest.mark.parametrize(
    "speeds",
    [
        {"plain": [500, 700], "ema": [400, 600.5]},  # the load fell: both differ by about 100
        {"plain": [500, 500], "ema": [400, 400]},
        {"plain": [900, 500, 300], "ema": [800, 401, 199]},
        {"plain": [500], "ema": [400]},
    ],
)
def test_speed_gets_no_verdict_because_the_load_of_the_computer_is_unknown(speeds, registry):
    rows = speed_rows(speeds)
    (table,) = make_tables(list(speeds), rows)
    assert table.measure == "images/s"
    assert [row.verdict for row in table.rows] == ["", NOT_JUDGED]
    difference = table.rows[1].difference
    assert difference.mean == pytest.approx(
        sum(speeds["ema"]) / len(speeds["ema"]) - sum(speeds["plain"]) / len(speeds["plain"])
    )
    assert (difference.low, difference.high, table.rows[1].p) == (None, None, None)
    run = compose(registry)
    notes = all_notes([("plain", run), ("ema", run)], rows, [table], 2)
    assert [note for note in notes if "images/s" in note and "computer" in note]


def test_a_failed_run_has_no_speed():
    rows = speed_rows({"plain": [500, 600], "ema": [400, 500]})
    for row in rows[2:]:
        row.failed = "d_loss became nan"
    (table,) = make_tables(["plain", "ema"], rows)
    assert table.rows[1].verdict == NO_RESULT
