"""gankit evaluate, gankit.evaluate and --metric: from a run to numbers, and what goes wrong."""

import csv
import dataclasses
import inspect
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from gankit_metrics import swd
from gankit_metrics.features import load_features
from gankit_metrics.measurement import Measurement
from gankit_metrics.metrics_file import read_metrics
from gankit_metrics.picture_sets import HOLDOUT, TRAINING, TooFewPictures, choose_picture_sets
from PIL import Image

import gankit
from gankit import GankitError, Metric, MetricSpec, compose, hookimpl, train
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.parts.registry import load_registry
from gankit.training.checkpoints import checkpoint

PLAIN = "swd", "kid:features=pixels"


@pytest.fixture(autouse=True)
def few_directions(monkeypatch):
    monkeypatch.setattr(swd, "DIRECTIONS", 8)
    monkeypatch.setattr(swd, "MAX_PATCHES", 20)


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the finished run, to write into."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def held_out(tiny, registry, here):
    """A run of two steps with 40 of its 160 pictures held out."""
    settings = tiny(dataset="petals:count=160", holdout=0.25, length="2 steps", out="held")
    return train(compose(registry, **settings), registry)


def without_seconds(measurements):
    return [dataclasses.replace(row, seconds=0) for row in measurements]


# ---------------------------------------------------------------- from Python


def test_the_same_call_gives_the_same_numbers(run):
    measured = gankit.evaluate(run, PLAIN, samples=30)
    assert all(isinstance(row, Measurement) for row in measured)
    assert [row.metric for row in measured] == list(PLAIN)
    assert {(row.samples, row.reference, row.step) for row in measured} == {(30, 30, 8)}
    assert all(row.low < row.value < row.high for row in measured)
    assert all(row.floor < row.low for row in measured), "eight steps do not make real flowers"
    torch.manual_seed(77)
    assert without_seconds(gankit.evaluate(run, PLAIN, samples=30)) == without_seconds(measured)


def test_a_run_a_folder_or_a_sampler_with_names_one_after_another(run):
    expected = without_seconds(gankit.evaluate(run, ["swd"], samples=30))
    for form in (gankit.load_run(run), gankit.load(run), gankit.load(run, step=8), str(run)):
        assert without_seconds(gankit.evaluate(form, "swd", samples=30)) == expected
    assert gankit.evaluate(gankit.load(run, step=4), "swd", samples=30)[0].step == 4
    both = gankit.evaluate(run, "swd", "diversity", samples=30)
    assert [row.metric for row in both] == ["swd", "diversity"]


def test_what_cannot_be_evaluated(run):
    new = gankit.compose(seed=1)
    sampler = gankit.load(run)
    calls = {
        "gankit.train returns": lambda: gankit.evaluate(new, "swd"),
        "step 8": lambda: gankit.evaluate(sampler, "swd", checkpoint=4),
        "<ndarray of shape (4, 5)>": lambda: gankit.evaluate(run, "swd", np.zeros((4, 5))),
    }
    for fact, call in calls.items():
        with pytest.raises(GankitError) as error:
            call()
        assert fact in str(error.value)


def test_your_own_pictures_are_measured_in_place_of_gs(held_out):
    prepared = gankit.prepare(gankit.load(held_out).run)
    copies = np.array(prepared.pixels[prepared.train[:40]])
    texture, copied = gankit.evaluate(held_out, ["swd", "memorising"], pictures=copies)
    assert texture.value < gankit.evaluate(held_out, ["swd"], samples=40)[0].value / 2
    assert (copied.value, copied.samples, copied.picture) == (1, 40, "")


def test_several_sets_of_pictures_are_measured_as_each_one_is(held_out):
    prepared = gankit.prepare(gankit.load(held_out).run)
    copies = np.array(prepared.pixels[prepared.train[:40]])
    sets = {"copies": copies, "dark": copies // 2}
    measured = gankit.evaluate(held_out, ["swd", "memorising"], pictures=sets)
    assert list(measured) == ["copies", "dark"]
    for name, pictures in sets.items():
        single = gankit.evaluate(held_out, ["swd", "memorising"], pictures=pictures)
        assert without_seconds(measured[name]) == without_seconds(single)


def test_measuring_your_own_pictures_writes_nothing(held_out):
    pictures = np.zeros((40, 16, 16, 3), np.uint8)
    gankit.evaluate(held_out, ["swd", "memorising"], pictures=pictures)
    assert not [path for path in held_out.iterdir() if "metrics" in path.name]


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((40, 16, 16, 3), np.float32),
        np.zeros((40, 8, 8, 3), np.uint8),
        np.zeros((400, 16, 16, 3), np.uint8),  # more than there are training pictures
    ],
    ids=["floats", "small", "many"],
)
def test_pictures_that_cannot_be_compared_are_refused(held_out, pictures):
    with pytest.raises(GankitError, match="uint8 .*16, 16, 3"):
        gankit.evaluate(held_out, ["swd"], pictures=pictures)


def test_the_signature_of_evaluate():
    parameters = inspect.signature(gankit.evaluate).parameters
    assert list(parameters) == [
        *("folder", "metrics", "more", "samples", "checkpoint", "registry", "progress"),
        *("pictures", "data", "plugins", "label"),
    ]
    assert parameters["samples"].default == 1000


def test_an_earlier_checkpoint_has_another_value_and_the_same_floor(run):
    late, early = (gankit.evaluate(run, ["swd"], samples=30, checkpoint=s)[0] for s in (8, 4))
    assert (late.step, early.step) == (8, 4)
    assert late.value != early.value
    assert late.floor == early.floor


def test_each_step_and_metric_has_one_row(run):
    for arguments in ({"checkpoint": 8}, {"checkpoint": 4}, {"checkpoint": 8}):
        measured = gankit.evaluate(run, PLAIN, samples=30, **arguments)
    rows = json.loads((run / "metrics.json").read_text())
    assert [(row["step"], row["metric"]) for row in rows] == [
        *((step, metric) for step in (4, 8) for metric in PLAIN),
    ]
    assert rows[2]["value"] == measured[0].value
    with (run / "metrics.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["value"]) for row in table] == [row["value"] for row in rows]
    assert set(table[0]) == {field.name for field in dataclasses.fields(Measurement)}


def test_the_default_metrics(held_out, run, monkeypatch):
    monkeypatch.setattr("gankit_metrics.evaluate.features_available", lambda name: False)
    assert [r.metric for r in gankit.evaluate(run, None, samples=30)] == ["swd", "modes"]
    measured = gankit.evaluate(held_out, None, samples=30)
    assert [row.metric for row in measured] == ["swd", "memorising", "modes"]
    assert {row.against for row in measured} == {HOLDOUT}


def test_memorising_comes_with_a_picture(held_out):
    (measured,) = gankit.evaluate(held_out, ["memorising"])
    assert measured.picture == str(held_out / "metrics" / "memorising-000002.png")
    with Image.open(measured.picture) as picture:
        assert picture.width == 2 * 3 * (16 + 4) + 8
    assert 0 <= measured.low <= measured.value <= measured.high <= 1
    assert measured.floor == pytest.approx(0.5, abs=0.2)


# ---------------------------------------------------------------- which pictures


def prepared(train, held):
    rows = np.arange(train + held)
    pixels = np.repeat(rows.astype(np.uint8), 4).reshape(-1, 2, 2, 1)
    return PreparedDataset(pixels, rows[:train], rows[train:], "print")


def test_the_floor_has_as_many_pictures_as_samples_and_none_of_the_reference():
    sets = choose_picture_sets(prepared(150, 40), samples=100, seed=0)
    assert {name: len(rows) for name, rows in sets.rows.items()} == {
        "reference": 40, "fresh": 100, "training": 150, "fresh half": 75, "other half": 75,
    }  # fmt: skip
    assert set(sets.rows["reference"]) == set(range(150, 190))
    assert set(sets.rows["training"]) == set(range(150))
    assert not set(sets.rows["fresh half"]) & set(sets.rows["other half"])
    assert choose_picture_sets(prepared(150, 40), samples=1000, seed=0).samples == 150


def test_where_nothing_is_held_out_the_training_part_is_halved():
    sets = choose_picture_sets(prepared(101, 5), samples=1000, seed=0)
    assert sets.against == TRAINING
    assert (sets.samples, len(sets.rows["reference"])) == (51, 50)
    assert not set(sets.rows["reference"]) & set(sets.rows["fresh"])
    assert set(sets.rows["reference"]) | set(sets.rows["fresh"]) == set(range(101))


def test_the_sets_depend_on_the_data_seed_alone():
    one, same, other = (
        choose_picture_sets(prepared(300, 60), 100, seed).rows for seed in (0, 0, 1)
    )
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["fresh"], other["fresh"])


def test_a_run_without_hold_out_gets_a_note(run):
    (measured,) = gankit.evaluate(run, ["swd"])
    assert measured.against == TRAINING
    assert "compared with training pictures" in measured.note


# ---------------------------------------------------------------- the command


def test_the_command_shows_a_table(gankit_cli, run):
    words = ("--metric", "swd", "--metric", "kid:features=pixels", "--samples", 30)
    code, out, err = gankit_cli("evaluate", run, *words)
    assert (code, err) == (0, "")
    title, *table = out.splitlines()
    assert re.search(rf"step 8: 30 .* 30 .*{TRAINING}", title)
    columns, *rows = (line.split() for line in table)
    assert columns[:3] == ["metric", "value", "95"]
    assert [row[0] for row in rows] == [
        "swd",
        "kid:features=pixels",
        "swd:",
        "kid:features=pixels:",
    ]
    assert "pixels 32 px" in out
    for row in json.loads((run / "metrics.json").read_text()):
        assert f"{row['metric']}: {row['note']}\n" in out


def test_the_command_prints_json(gankit_cli, run):
    words = ("--metric", "swd", "--checkpoint", 4, "--samples", 30, "--json")
    code, out, err = gankit_cli("evaluate", run, *words)
    assert (code, err) == (0, "")
    (row,) = json.loads(out)
    assert row == json.loads((run / "metrics.json").read_text())[0]
    assert (row["step"], row["metric"], row["better"]) == (4, "swd", "lower")


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        (["nowhere"], ["nowhere"]),
        (["run", "--checkpoint", 5], ["step-000005", "step-000008"]),
        (["run", "--metric", "kit"], ["'kit'", "'kid'"]),
        (["run", "--metric", "kid:feature=pixels"], ["'kid'", "'feature'", "'features'"]),
        (["run", "--metric", "kid:features=vgg"], ["'kid'", "'metrics'", "'vgg'", "inception"]),
        (["run", "--metric", "ema"], ["'ema'", "trick"]),
        (["run", "--samples", 3], ["--samples", " 3;", " 20 "]),
        (["run", "--metric", "memorising"], ["'memorising'", " 20 ", "--holdout"]),
    ],
)
def test_mistakes_are_one_line(gankit_cli, run, words, facts):
    code, out, err = gankit_cli("evaluate", *words)
    assert (code, out) == (2, "")
    assert err.startswith("gankit: ")
    assert err.count("\n") == 1
    assert [fact for fact in facts if fact not in err] == []


def test_modes_measure_only_petals(gankit_cli, gankit_run, pictures_folder, here):
    code, *_ = gankit_run("--dataset", "ihc:count=60", "--out", "tissue", "--steps", 1)
    assert code == 0
    code, _, err = gankit_cli("evaluate", "tissue", "--metric", "modes")
    assert code == 2
    assert re.search(r"'modes' .*'flowers'.* petals.* ihc:count=60\n$", err)


def test_a_metric_that_cannot_measure_a_run_leaves_the_others(gankit_cli, here):
    """Without a hold-out nothing can be said about memorising; kid and the best go on."""
    words = ("--dataset", "petals:count=120", "--holdout", 0, "--steps", 4, "--log-every", 2)
    words = (*words, "--metric", "memorising", "--keep-best", "kid:features=pixels", "--no-report")
    words = (*words, "--model", "dcgan64:base_channels=2", "--image-size", 16, "--batch-size", 4)
    code, out, err = gankit_cli("run", *words, "--device", "cpu", "--out", "run")
    assert code == 0
    assert "'memorising'" in err
    assert err.count("the run goes on without it") == 1
    assert {row["metric"] for row in read_metrics(here / "run")} == {"kid:features=pixels"}
    assert "best:     kid" in out


def test_too_few_pictures(gankit_cli, gankit_run, pictures_folder):
    words = ("--dataset", "folder", "--data", pictures_folder, "--out", "few", "--steps", 1)
    assert gankit_run(*words).code == 0
    code, _, err = gankit_cli("evaluate", "few", "--metric", "swd")
    assert code == 2
    assert re.search(r" 12 .* 0 .* 20 of both, or 40 for training", err)


@pytest.mark.parametrize("numbers", [(27, 13), (39, 19), (19, 100)])
def test_the_numbers_that_are_needed_are_true(numbers):
    with pytest.raises(TooFewPictures, match=r"20 of both, or 40 for training"):
        choose_picture_sets(prepared(*numbers), samples=100, seed=0)
    assert choose_picture_sets(prepared(20, 20), samples=100, seed=0).against == HOLDOUT
    assert choose_picture_sets(prepared(40, 0), samples=100, seed=0).against == TRAINING


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", "8"), ("step", None), ("value", "x"), ("value", [1]), ("metric", 3), ("note", {})],
)
def test_a_row_of_metrics_that_gankit_did_not_write_is_named(run, name, value):
    gankit.evaluate(run, ["swd"], samples=30)
    (row,) = json.loads((run / "metrics.json").read_text())
    for rows in ([{**row, name: value}], [row, 3], {"a": row}, [{**row, name: ["\x1b" * 10**5]}]):
        (run / "metrics.json").write_text(json.dumps(rows))
        with pytest.raises(GankitError, match=r"metrics\.json") as error:
            read_metrics(run)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 500


def test_a_damaged_metrics_file_is_named(run):
    (run / "metrics.json").write_text("[{]")
    with pytest.raises(GankitError, match=r"metrics\.json"):
        gankit.evaluate(run, ["swd"], samples=30)


def test_numbers_that_cannot_be_written_are_shown_with_a_warning(gankit_cli, run):
    (run / "metrics.csv").mkdir()  # so that it cannot be replaced, as in a read-only folder
    code, out, err = gankit_cli("evaluate", run, "--metric", "swd", "--samples", 30)
    assert code == 0
    assert "swd" in out
    assert "metrics.json" in err
    assert err.count("\n") == 1


# ---------------------------------------------------------------- other people's metrics


class Darkness(Metric):
    """A metric in a few lines: how much darker are generated pictures?"""

    def score(self, state, generated, reference):
        mine, real = state
        return abs(float(mine[generated].mean() - real[reference].mean()))


def with_metric(build):
    class Plugin:
        @hookimpl
        def register_metrics(self, register):
            register(MetricSpec(name="mine", summary="s", source="s", build=build))

    registry = load_registry()
    assert not registry.load("theirs", Plugin).error
    return registry


def test_your_own_metric(run):
    (measured,) = gankit.evaluate(run, ["mine"], samples=30, registry=with_metric(Darkness))
    assert measured.low < measured.value < measured.high
    assert measured.features == ""


@pytest.mark.parametrize("form", [Darkness(), Darkness, [Darkness()], lambda: Darkness()])
def test_a_metric_may_be_an_object_a_class_or_a_function(run, form):
    measured = gankit.evaluate(run, form, "swd", samples=30)
    assert measured[0].metric in ("darkness", "lambda")
    assert measured[0].value == pytest.approx(darkness_of(run))
    assert measured[1].metric == "swd"


def darkness_of(run):
    return gankit.evaluate(run, "mine", samples=30, registry=with_metric(Darkness))[0].value


DARKNESS_FILE = """
    class Darkness(Metric):
        def score(self, state, generated, reference):
            mine, real = state
            return abs(float(mine[generated].mean() - real[reference].mean()))

    @hookimpl
    def register_metrics(register):
        register(MetricSpec(name="darkness", summary="s", source="s", build=Darkness))
"""


def test_a_metric_may_be_in_a_file_that_is_given(run, plugin_file):
    path = plugin_file(DARKNESS_FILE)
    (measured,) = gankit.evaluate(run, "darkness", samples=30, plugins=[path])
    assert measured.value == pytest.approx(darkness_of(run))


def test_what_is_not_a_metric_is_refused(run):
    for value in (5, gankit.Loss(), gankit.Loss):
        with pytest.raises(GankitError) as error:
            gankit.evaluate(run, value)
        assert "gankit.Metric" in str(error.value)
        assert "--" not in str(error.value)


def test_a_run_is_measured_with_the_metrics_that_it_had_if_none_is_named(tiny, here, plugin_file):
    settings = tiny(dataset="petals:count=160", length="2 steps", log_every=1)
    plain = train(compose(**settings))
    assert [row.metric for row in gankit.evaluate(plain, samples=30)] == ["kid", "swd"]
    own = train(compose(**settings, metrics=[Darkness, "swd"]))
    assert [row.metric for row in gankit.evaluate(own, samples=30)] == ["darkness", "swd"]
    assert "darkness" not in [row.metric for row in gankit.evaluate(own, None, samples=30)]
    path = plugin_file(DARKNESS_FILE)
    in_file = train(compose(**settings, plugins=[path], metrics=["darkness"]))
    gankit.training.run_folder.run_file._carried_by.clear()  # as in a new process
    with pytest.raises(GankitError, match="metric 'darkness'.*mine.py"):
        gankit.evaluate(in_file, samples=30)
    assert gankit.evaluate(in_file, plugins=[path], samples=30)[0].metric == "darkness"


def broken(**methods):
    return type("Mine", (Darkness,), methods)


@pytest.mark.parametrize(
    ("build", "fact"),
    [
        (broken(features=lambda self, p: np.zeros(3)), "(3,)"),
        (broken(features=lambda self, p: p / 0.0), "divide by zero encountered in divide"),
        (broken(features=lambda self, p: np.full(len(p), np.nan)), "NaN"),
        (broken(score=lambda self, *rows: float("nan")), "nan"),
        (broken(score=lambda self, s, x, y: s[0][x]), "score returns <ndarray of shape (30"),
        (broken(score=lambda self, *rows: None), "return?"),
        (broken(compare=lambda self, x, y: x.nowhere), "'numpy.ndarray' object has no attribute"),
        (Metric, "score"),
        (object, "gankit.Metric"),
    ],
)
def test_a_broken_metric_is_named_with_its_plugin(run, build, fact):
    with pytest.raises(GankitError, match="^metric 'mine' .*'theirs': ") as error:
        gankit.evaluate(run, ["mine"], samples=30, registry=with_metric(build))
    assert fact in str(error.value)


def test_a_score_of_row_numbers_is_warned_of(run, caplog):
    class OfRows(Metric):
        def score(self, state, generated, reference):
            return abs(float(generated.mean() - reference.mean()))

    gankit.evaluate(run, OfRows, Darkness, samples=30)
    (warning,) = [r.getMessage() for r in caplog.records if "row numbers" in r.getMessage()]
    assert "metric 'of-rows'" in warning


def test_pictures_of_your_own_may_be_read_only_and_their_number_is_explained(run, recwarn):
    real = np.array(gankit.prepare(gankit.load_run(run)).pixels)
    fitting = real[:32].copy()
    fitting.setflags(write=False)
    with pytest.raises(GankitError) as error:
        gankit.evaluate(run, "swd", pictures=real)
    for fact in (str(real.shape), "(32, 16, 16, 3)", "32 training pictures", "[:32]"):
        assert fact in str(error.value)
    with pytest.raises(GankitError) as error:
        gankit.evaluate(run, "swd", pictures=fitting[:, :8])
    assert "[:" not in str(error.value)
    assert gankit.evaluate(run, "swd", pictures=fitting)[0].samples == 32
    assert not [w for w in recwarn if "writable" in str(w.message)]


def test_a_misspelt_method_is_refused_at_once():
    with pytest.raises(TypeError, match=r"feature .*'features'"):
        type("Wrong", (Metric,), {"feature": lambda self, pictures: pictures})


# ---------------------------------------------------------------- during a run


def weights(folder):
    saved = checkpoint.load_newest(folder / "checkpoints")[1]
    return {f"{n} {k}": v for n in saved.model for k, v in saved.model[n].items()}


def test_measuring_does_not_change_training_and_prints_its_time(tiny, registry, here, capsys):
    settings = tiny(length="10 steps", log_every=1, tricks=["ema", "noisy-d"])
    without = weights(train(compose(registry, **settings, out="without"), registry))
    measured = compose(registry, **settings, out="with", metrics=PLAIN, measure_every=4)
    with_metrics = weights(train(measured, registry))
    assert without.keys() == with_metrics.keys()
    assert all(torch.equal(without[name], with_metrics[name]) for name in without)
    rows = json.loads((here / "with" / "metrics.json").read_text())
    assert [row["step"] for row in rows] == [4, 4, 8, 8, 10, 10]
    assert len({(row["metric"], row["floor"]) for row in rows}) == len(PLAIN)
    lines = [line for line in capsys.readouterr().out.splitlines() if "measured in" in line]
    assert [line.partition(":")[0] for line in lines] == ["step 4", "step 8", "step 10"]
    assert "kid:features=pixels" in lines[0]
    assert lines[-1].endswith("s so far")
    assert not (here / "without" / "metrics.json").exists()
    after = gankit.evaluate("with", PLAIN)
    assert [row.value for row in after] == pytest.approx([row["value"] for row in rows[-2:]])


def test_a_resumed_run_goes_on_measuring(gankit_run, gankit_cli, here):
    words = ("--metric", "swd", "--log-every", 1, "--save-every", 2, "--out", "r", "--steps", 4)
    assert gankit_run(*words).code == 0
    assert gankit_cli("run", "--resume", "r", "--steps", 6).code == 0
    assert [row["step"] for row in json.loads((here / "r" / "metrics.json").read_text())] == [
        *(1, 2, 3, 4, 5, 6),
    ]
    words = ("--metric", "kid:features=pixels", "--measure-every", 100, "--steps", 8)
    assert gankit_cli("run", "--resume", "r", *words).code == 0
    last = json.loads((here / "r" / "metrics.json").read_text())[-1]
    assert (last["step"], last["metric"]) == (8, "kid:features=pixels")


def test_metrics_are_checked_before_a_run_begins(gankit_run, here, monkeypatch):
    code, _, err = gankit_run("--metric", "kit")
    assert code == 2
    assert "'kit'" in err
    load_features.cache_clear()
    missing = GankitError("missing")
    monkeypatch.setattr(
        "gankit_metrics.features._explain_import_error", lambda *words: bad(missing)
    )
    code, _, err = gankit_run("--metric", "kid", "--out", "r")
    load_features.cache_clear()
    assert (code, err) == (2, "gankit: missing\n")
    assert not (here / "r").exists()


def test_pictures_that_a_metric_cannot_measure_are_refused_before_a_run_begins(gankit_run, here):
    code, _, err = gankit_run("--image-size", "32x16", "--metric", "modes", "--out", "r")
    assert code == 2
    assert "metric 'modes'" in err
    assert "not square" in err
    assert not (here / "r").exists()


def bad(error):
    raise error


def test_none_means_no_metrics(registry, tiny):
    assert compose(registry, **tiny(metrics="none")).metrics == ()
    run = compose(registry, **tiny(metrics=["swd"], measure_every=7))
    assert "--metric swd --measure-every 7" in gankit.command_line(run)


def test_a_run_that_measures_nothing_imports_nothing(here):
    code = """
import sys
from gankit.cli.main import main
try:
    main("run --steps 1 --batch-size 4 --image-size 16 --dataset petals:count=8 --device cpu"
         " --model dcgan64:base_channels=2 --precision 32".split())
except SystemExit as left:
    assert not left.code
light = ("gankit_metrics.metrics_file", "gankit_metrics.measurement")  # the report reads them
loaded = [n for n in sys.modules if n.startswith("gankit_metrics.") and n not in light]
loaded += [n for n in sys.modules if n == "gankit_flowers.modes"]
sys.exit(str(loaded) if loaded or "gankit_metrics" not in sys.modules else 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(("samples", "is_fewer"), [(300, True), (20, False)])
def test_the_table_says_why_fewer_pictures_are_measured(run, gankit_cli, samples, is_fewer):
    code, out, _ = gankit_cli("evaluate", run, "--metric", "swd", "--samples", samples)
    assert code == 0
    assert ("as many as there are training pictures" in out) == is_fewer
