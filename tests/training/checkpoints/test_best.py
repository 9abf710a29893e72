"""--keep-best and --patience: which checkpoint is kept, when a run ends; resuming is exact.

The numbers are scripted, so that each test says what is measured; all else is a real run.
"""

import dataclasses
import io
import json
import logging
import shutil
import sys
from pathlib import Path

import pytest
from gankit_metrics import during_training
from gankit_metrics.measurement import HOLLOW, Measurement
from rich.console import Console
from rich.file_proxy import FileProxy

import gankit
from gankit import GankitError, RunFailed, command_line, compose, load, load_run, train
from gankit.cli.run.from_options import new_run
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.best import BestSoFar, Progress, Score, read_progress


def score(value, error=0.0, better="lower", step=1, is_hollow=False):
    return Score("kid", step, value, value - error, value + error, better, is_hollow)


def progress_of(values, error):
    progress = Progress()
    for step, value in enumerate(values, 1):
        progress = progress.add(score(value, error, step=step))
    return progress


# ---------------------------------------------------------------- what is better


@pytest.mark.parametrize(("better", "sign"), [("lower", -1), ("higher", 1)])
def test_a_gain_counts_if_it_exceeds_the_error_of_the_difference(better, sign):
    before = score(1.0, 0.3, better)
    assert not score(1.0 + sign * 0.49, 0.4, better).is_better_than(before)  # 0.3 and 0.4 make 0.5
    assert score(1.0 + sign * 0.51, 0.4, better).is_better_than(before)
    assert not score(1.0 - sign * 9, 0.4, better).is_better_than(before)
    assert score(1.0 + sign * 0.01, 0.4, better).is_above(before)
    assert not score(1.0, 0.0, better).is_above(score(1.0, 0.0, better))


def test_of_two_unequal_ends_of_an_interval_the_one_between_the_numbers_counts():
    before = Score("kid", 1, 1.0, low=0.9, high=9.0, better="lower")
    after = Score("kid", 2, 0.8, low=-9.0, high=0.9, better="lower")
    assert after.is_better_than(before)
    assert not dataclasses.replace(after, high=1.0).is_better_than(before)


def test_a_slow_gain_counts_once_it_adds_up():
    progress = progress_of([1.0, 0.95, 0.9, 0.85, 0.8], error=0.1)
    assert (progress.gain.step, progress.since) == (4, 1)  # 0.15 is more than 0.1414


def test_the_best_number_is_kept_though_its_gain_is_within_the_error():
    progress = progress_of([1.0, 0.95, 0.99, 0.97], error=0.1)
    assert (progress.best.step, progress.gain.step, progress.since) == (2, 1, 3)


def test_pictures_that_are_nothing_like_real_ones_are_never_the_best():
    progress = Progress().add(score(0.1, is_hollow=True))
    assert progress.best.value == 0.1  # until there is another one
    progress = progress.add(score(5.0)).add(score(0.1, is_hollow=True))
    assert (progress.best.value, progress.since) == (5.0, 1)
    measured = measurement(1, 2.0, note=f"they are noise, {HOLLOW}; and more")
    assert measured.is_hollow
    assert not measurement(1, 2.0, note="kid: cannot be told from real pictures").is_hollow


# ---------------------------------------------------------------- in a run


def measurement(step, value, error=0.1, **fields):
    interval = {"low": value - error, "high": value + error}
    numbers = {"value": value, "floor": 0.0, "samples": 64, "reference": 64, **interval}
    return Measurement(metric="swd", better="lower", step=step, **{**numbers, **fields})


@pytest.fixture
def script(monkeypatch):
    """`script[4] = 0.5`: what is measured at step 4; else 9. Every step is measured."""
    values = {}

    def measure(metrics, sets, registry, folder, step, progress):
        return [measurement(step, values.get(step, 9.0))]

    monkeypatch.setattr(during_training, "measure_all", measure)
    return values


@pytest.fixture
def run_of(tiny, here, registry):
    """`run_of(steps, patience=2)`: a tiny run that keeps the checkpoint with the best swd."""

    def build(steps, out="run", **settings):
        common = {"tricks": ["ema"], "log_every": 1, "measure_every": 1, "save_every": 4, "keep": 1}
        common |= {"keep_best": "swd", "report": False, "data_seed": 0}
        return compose(registry, **tiny(length=f"{steps} steps", **{**common, **settings}), out=out)

    return build


class Watching:
    """An observer that keeps what it is told of the best."""

    def __init__(self):
        self.seen = []

    def measured(self, step, best):
        self.seen.append((step, best.step if best else None))

    def run_finished(self, outcome):
        self.outcome = outcome


def steps_in(folder):
    paths = checkpoint.list_checkpoints(folder / "checkpoints")
    return sorted(map(checkpoint.step_of, paths))


def saved_in(folder, step):
    return checkpoint.load(folder / "checkpoints" / f"step-{step:06d}")


def test_the_best_checkpoint_is_that_of_the_very_step_and_outlives_all_others(
    run_of, script, registry
):
    script |= {2: 3.0, 3: 0.5, 7: 0.6}
    watching = Watching()
    folder = train(run_of(9), registry, observers=watching)
    assert (folder / "checkpoints" / "best").read_text() == "step-000003"
    assert steps_in(folder) == [3, 9]
    assert load(folder, step="best").step == 3
    assert load(folder, step="last").step == load(folder).step == 9
    assert watching.seen[:4] == [(1, 1), (2, 2), (3, 3), (4, 3)]
    assert str(watching.outcome["best"]) == "swd 0.5 (0.4 to 0.6) at step 3"
    assert gankit.evaluate(folder, "swd", checkpoint="best", samples=24)[0].step == 3


def test_patience_ends_a_run_that_gets_no_better_and_this_is_no_error(run_of, script, registry):
    script |= {1: 1.0, 2: 0.5, 3: 0.45, 4: 0.55}
    watching = Watching()
    folder = train(run_of(20, patience=3), registry, observers=watching)
    outcome = watching.outcome
    assert (outcome["state"], outcome["step"]) == ("stopped", 5)
    assert outcome["reason"] == (
        "swd has not become better by more than its error in 3 measurements; "
        "best: swd 0.45 (0.35 to 0.55) at step 3; resume it with --patience 0 to train on"
    )
    assert steps_in(folder) == [3, 5]


def test_each_line_says_whether_a_good_number_means_anything(run_of, registry, monkeypatch, capsys):
    values = {1: (0.5, True), 2: (0.4, True), 3: (0.9, False), 4: (0.3, True)}

    def measure(metrics, sets, registry, folder, step, progress):
        value, is_hollow = values[step]
        return [measurement(step, value, note=f"one colour, {HOLLOW}" if is_hollow else "")]

    monkeypatch.setattr(during_training, "measure_all", measure)
    train(run_of(4), registry)
    lines = [line for line in capsys.readouterr().out.splitlines() if "swd" in line]
    lines = [line for line in lines if line.startswith("step ")]
    unlike = "of pictures that are nothing like real ones"
    assert [unlike in line for line in lines] == [True, True, False, False]
    assert "the best so far: the first of pictures that are anything like real ones" in lines[2]
    assert "best: swd 0.9 (0.8 to 1) at step 3;" in lines[3]


def test_the_line_of_a_measurement_is_printed_above_a_live_view(
    run_of, script, registry, monkeypatch
):
    """A live view replaces sys.stdout; what goes past it, such as click.echo, breaks the view."""
    above = io.StringIO()
    past = io.BytesIO()
    proxy = FileProxy(Console(file=above, width=300), io.TextIOWrapper(past, write_through=True))
    monkeypatch.setattr(sys, "stdout", proxy)
    train(run_of(1), registry)
    assert "step 1: swd 9 (8.9 to 9.1, floor 0); the best so far; measured in" in above.getvalue()
    assert past.getvalue() == b""


@pytest.mark.parametrize(("patience", "is_idle"), [(1, False), (2, True)])
def test_a_patience_that_cannot_end_the_run_is_told(
    run_of, script, registry, caplog, patience, is_idle
):
    script |= {1: 1.0}
    watching = Watching()
    run = run_of(7, measure_every=3, patience=patience)  # measures at 3 and 6, and at the end
    train(run, registry, observers=watching)
    texts = map(logging.LogRecord.getMessage, caplog.records)
    assert any("patience=2 cannot end this run" in text for text in texts) is is_idle
    assert (watching.outcome["state"] == "finished") is is_idle


@pytest.mark.parametrize(("log_every", "option"), [(1, "measure_every"), (4, "log_every")])
def test_an_idle_patience_names_what_makes_it_measure_more_often(
    run_of, script, registry, caplog, log_every, option
):
    run = run_of(9, measure_every=3, log_every=log_every, patience=3)
    train(run, registry)
    (text,) = [r.getMessage() for r in caplog.records if "cannot end this run" in r.getMessage()]
    assert f"give a smaller {option}" in text


@pytest.mark.parametrize("killed_at", [3, 5, 6])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(run_of, script, registry, here, killed_at):
    """Killed after `killed_at` steps: what was saved until then is all that is left."""
    script |= {2: 1.0, 4: 0.95, 5: 0.5, 6: 0.45}
    whole = train(run_of(12, patience=4, out="whole"), registry)
    run = run_of(12, patience=4)
    killed = []

    def stop():
        killed.append(1)
        if len(killed) < killed_at:
            return False
        shutil.copytree("run", "copy")
        return True

    train(run, registry, stop=stop)
    shutil.rmtree("run")
    shutil.move("copy", "run")
    train("run", registry, resume=True)
    folder = here / "run"
    assert steps_in(folder) == steps_in(whole) == [6, 9]
    assert (folder / "checkpoints" / "best").read_text() == "step-000006"
    assert saved_in(folder, 9).state["best"] == saved_in(whole, 9).state["best"]
    assert saved_in(folder, 9).state["best"]["since"] == 4


def test_patience_of_a_last_stage_does_not_end_a_repetition_before_it(run_of, script, registry):
    script |= {1: 0.5, 6: 0.9, 7: 0.95}  # of the new settings, the first is the best
    train(run_of(5), registry)
    later = load_run("run", steps=20, batch_size=12, patience=2)
    train(later, registry, resume=True)
    assert steps_in(Path("run")) == [1, 8]
    train(new_run(registry, Path("run/run.json"), {"out": "again"}), registry)
    assert steps_in(Path("again")) == [1, 8]
    assert saved_in(Path("again"), 8).state["best"]["since"] == 2


@pytest.mark.parametrize(
    ("begun", "changes", "end"),
    [
        ({"keep_best": ""}, {"keep_best": "swd", "patience": 1}, 9),
        ({"measure_every": 3}, {"measure_every": 2, "patience": 2}, 12),
        ({"metrics": ["swd"], "keep_best": "", "measure_every": 0, "log_every": 2}, {}, 20),
    ],
    ids=["patience that came later", "another interval", "another length"],
)
def test_a_repetition_measures_and_ends_where_the_run_did(
    run_of, script, registry, begun, changes, end
):
    script |= {2: 0.5, 3: 0.6}
    parts = Watching()
    train(run_of(7, **begun), registry, observers=parts)
    train(load_run("run", steps=20, **changes), registry, resume=True, observers=parts)
    again = Watching()
    run = new_run(registry, Path("run/run.json"), {"out": "again"})
    train(run, registry, observers=again)
    assert again.seen == parts.seen
    assert again.outcome["step"] == parts.outcome["step"] == end


def test_a_resumed_run_measures_at_the_same_steps(run_of, script, registry):
    settings = {"log_every": 2, "measure_every": 3, "keep_best": "", "metrics": ["swd"]}
    whole = Watching()
    train(run_of(12, out="whole", **settings), registry, observers=whole)
    parts = Watching()
    for stop_at in (3, 7):  # 3 is after an interval has begun, and before its first logged step
        run = run_of(12, **settings) if stop_at == 3 else "run"
        calls = iter(range(stop_at if stop_at == 3 else 4))
        train(
            run,
            registry,
            resume=stop_at != 3,
            observers=parts,
            stop=lambda calls=calls: next(calls, None) is None,
        )
    train("run", registry, resume=True, observers=parts)
    assert [step for step, _ in parts.seen] == [step for step, _ in whole.seen] == [4, 6, 10, 12]
    assert not any(best for _, best in whole.seen)
    assert "best" not in saved_in(load_run("whole").folder, 12).state


def test_a_best_that_cannot_be_saved_is_not_the_best(run_of, script, registry, monkeypatch, caplog):
    script |= {2: 3.0, 3: 0.5, 5: 0.6}
    save = checkpoint.save

    def full(folder, saved, keep, best=None):
        if saved.step == 3:
            raise RunFailed("the disk is full", 1)
        return save(folder, saved, keep, best)

    monkeypatch.setattr(checkpoint, "save", full)
    watching = Watching()
    folder = train(run_of(6), registry, observers=watching)
    assert watching.seen[2:5] == [(3, 3), (4, 2), (5, 5)]
    assert steps_in(folder) == [5, 6]
    assert load(folder, step="best").step == 5


def test_a_best_checkpoint_that_is_deleted_makes_room_for_another(run_of, script, registry, here):
    script |= {1: 0.5, 5: 0.6}

    class Deleting:
        def step_taken(self, step):
            if step == 4:
                shutil.rmtree(here / "run" / "checkpoints" / "step-000001")

    folder = train(run_of(6), registry, observers=Deleting())
    assert load(folder, step="best").step == 5


def test_a_resumed_run_may_keep_another_best_or_none(run_of, script, registry, here):
    script |= {1: 0.5}
    train(run_of(2), registry)
    run = load_run("run", steps=4, keep_best="none", metrics="none")
    folder = train(run, registry, resume=True)
    assert load(folder, step="best").step == 1  # is kept
    run = load_run(folder, steps=6, keep_best="swd:patch=5", patience=9)
    assert (run.metrics, run.keep_best) == (("swd:patch=5",), "swd:patch=5")
    with pytest.raises(GankitError, match="memorising"):
        train(load_run(folder, steps=6, keep_best="memorising"), registry, resume=True)


GOOD = dataclasses.asdict(score(1.0))


@pytest.mark.parametrize(
    "state",
    [
        None,
        {"best": None},
        {"best": None, "gain": None, "since": -1},
        {"best": None, "gain": None, "since": 1.5},
        {"best": {"metric": "kid"}, "gain": None, "since": 0},
        {
            "best": {**GOOD, "value": float("nan")},
            "gain": None,
            "since": 0,
        },
        {"best": {**GOOD, "step": "1"}, "gain": None, "since": 0},
    ],
)
def test_a_damaged_state_is_refused(state):
    with pytest.raises(ValueError, match="best"):
        read_progress(state)


def test_a_state_is_what_was_saved():
    best = BestSoFar()
    assert best.state_dict() == {}
    best.progress = progress_of([1.0, 0.9, 0.95], error=0.2)
    again = BestSoFar()
    again.load_state_dict(json.loads(json.dumps(best.state_dict())))
    assert again.progress == best.progress
    assert not again.is_new


@pytest.mark.parametrize("content", [b"step-000003\n", b"../../x", b"\xff" * 300, b""])
def test_a_file_that_names_no_checkpoint_is_named(run_of, script, registry, content):
    folder = train(run_of(1), registry)
    (folder / "checkpoints" / "best").write_bytes(content)
    named = "step-000003" if content[:1] == b"s" else "checkpoints/best"
    with pytest.raises(GankitError, match=named):
        load(folder, step="best")


# ---------------------------------------------------------------- settings


def test_the_metric_of_keep_best_is_measured(registry, tiny):
    def run_of(**settings):
        return compose(registry, **tiny(**settings))

    assert run_of(keep_best="swd").metrics == ("swd",)
    run = run_of(keep_best="kid", metrics=["swd", "kid:features=pixels"], patience=4)
    assert run.keep_best == "kid:features=pixels"
    assert len(run.metrics) == 2
    words = "--metric swd --metric kid:features=pixels --keep-best kid:features=pixels --patience 4"
    assert words in command_line(run)
    assert dataclasses.replace(run, seed=1).metrics == run.metrics
    assert "keep-best" not in command_line(run_of(keep_best="none"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"keep_best": "kit"}, "'kit'.*'kid'"),
        ({"keep_best": "kid:feature=pixels"}, "feature"),
        ({"keep_best": "diversity"}, "keep_best.*diversity.*noise"),
        ({"keep_best": "memorising"}, "keep_best.*0.5 is best"),
        ({"keep_best": 3}, "keep_best is 3"),
        ({"keep_best": "kid", "metrics": ["kid:features=pixels", "kid:features=inception"]},
         "keep_best.*'kid:features=pixels' and 'kid:features=inception'"),
        ({"patience": 3}, "patience is 3.*keep_best=METRIC"),
        ({"patience": -1, "keep_best": "swd"}, "patience is -1"),
        ({"patience": 1.5, "keep_best": "swd"}, "patience is 1.5"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(registry, tiny, settings, named):
    with pytest.raises(GankitError, match=named):
        compose(registry, **tiny(**settings))


def test_your_own_metric_is_kept_by_its_name(tiny):
    class Bright(gankit.Metric):
        better = "brighter"

        def score(self, state, generated, reference):
            return 0.0

    with pytest.raises(GankitError, match=r"keep_best is 'bright'.*'brighter'"):
        compose(**tiny(metrics=[Bright], keep_best="bright"))
    Bright.better = "higher"
    assert compose(**tiny(metrics=[Bright()], keep_best="bright")).keep_best == "bright"


@pytest.mark.parametrize("step", ["bset", 1.5, True, ["best"]])
def test_a_word_that_names_no_checkpoint_is_refused(trained, step):
    with pytest.raises(GankitError, match="a step, best or last"):
        load(trained, step=step)


def test_a_run_without_a_best_checkpoint_says_how_to_get_one(trained):
    with pytest.raises(GankitError, match="no best checkpoint.*keep_best=METRIC"):
        load(trained, step="best")
