"""A run whose settings change when it is resumed: stages, which repeat exactly."""

import csv
import dataclasses
import json
import shutil
import signal

import pytest
import torch

import gankit
from gankit import GankitError, RunStopped, compose, hookimpl, load_run, train
from gankit.cli.run.from_options import new_run, resumed
from gankit.core.run.all_stages import count_batches, count_pictures, describe_stage
from gankit.core.run.stage import Stage
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.run_file import read_run
from gankit.training.stages import begin_stage

NEW = {"lr_g": 1e-4, "lr_d": 5e-5, "batch_size": 12, "tricks": ("ema:decay=0.8", "noisy-d", "ada")}


def stop_after(steps):
    signals = iter([0] * (steps - 1))
    return lambda: next(signals, signal.SIGINT)


def go_on(folder, registry, stop=None, **changes):
    train(resumed(folder, **changes), registry, resume=True, stop=stop, quiet=True)


def record_of(folder):
    return json.loads((folder / "run.json").read_text())


def rows_of(folder):
    with (folder / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def hashes_of(folder):
    """The hashes of each checkpoint's files."""
    paths = checkpoint.list_checkpoints(folder / "checkpoints")
    return {path.name: json.loads((path / "manifest.json").read_text()) for path in paths}


@pytest.fixture(scope="module")
def small(registry, tiny, tmp_path_factory):
    """`small("a", **settings)`: train a small run for 3 steps of 8 pictures; returns its folder."""
    parent = tmp_path_factory.mktemp("runs")

    def build(name, **settings):
        settings = {
            "tricks": ("ema:decay=0.9", "ada:kimg=1"),
            **{"length": "3 steps", "log_every": 1, "save_every": 1, "keep": 20, "report": False},
            **settings,
        }
        run = compose(registry, **tiny(**settings), out=str(parent / name))
        return train(run, registry, quiet=True)

    return build


@pytest.fixture(scope="module")
def changed(small, registry):
    """A run of three stages: of 3, 3 and 2 steps."""
    folder = small("changed")
    with pytest.raises(RunStopped):
        go_on(folder, registry, length="8 steps", stop=stop_after(3), **NEW)
    second = {"loss": "hinge", "flip": True, "d_steps": 2, "precision": "bf16", "accumulate": 2}
    go_on(folder, registry, tricks=("none",), **second)
    return folder


@pytest.fixture
def copy_of(changed, tmp_path):
    """A copy of the run of three stages, to change it."""
    return shutil.copytree(changed, tmp_path / "copy")


def test_run_json_says_what_changed_and_at_which_step(changed):
    first, second = record_of(changed)["stages"]
    assert first["step"] == 3
    assert first["before"] == {
        **{"tricks": ["ema:decay=0.9", "ada:kimg=1"], "batch_size": 8},
        **{"lr_g": 2e-4, "lr_d": 2e-4},
    }
    assert second["step"] == 6
    assert set(second["before"]) == {
        *("tricks", "loss", "flip", "d_steps", "precision", "accumulate")
    }
    run = load_run(changed)
    assert (run.loss, run.batch_size, run.tricks) == ("hinge", 12, ())
    assert (run.at(3).tricks, run.at(3).lr_d, run.at(3).loss) == (
        NEW["tricks"],
        5e-5,
        run.at(0).loss,
    )
    assert (run.at(2).batch_size, run.at(2).stages) == (8, ())


def test_a_run_with_stages_repeats_exactly_with_config(changed, registry, tmp_path):
    assert record_of(changed)["command"] == gankit.command_line(load_run(changed))
    assert record_of(changed)["command"].startswith("gankit run --config ")
    run = new_run(registry, changed / "run.json", {"out": str(tmp_path / "again")})
    again = train(run, registry, quiet=True)
    assert hashes_of(again) == hashes_of(changed)
    assert rows_of(again) == rows_of(changed)
    assert record_of(again)["stages"] == record_of(changed)["stages"]


def test_a_trick_that_is_added_to_a_repetition_is_added_to_each_stage(changed, registry, tmp_path):
    options = {"out": str(tmp_path / "again"), "tricks": ("+gradient-clipping",)}
    recorded = load_run(changed)
    run = new_run(registry, changed / "run.json", options)
    assert [stage.step for stage in run.stages] == [3, 6]
    for step in (0, 3, 6):
        tricks = [*map(str, recorded.at(step).tricks), "gradient-clipping"]
        assert [*map(str, run.at(step).tricks)] == tricks
        assert run.at(step).lr_g == recorded.at(step).lr_g
    replaced = new_run(registry, changed / "run.json", {**options, "tricks": ("r1",)})
    assert [[*map(str, replaced.at(step).tricks)] for step in (0, 3, 6)] == 3 * [["r1"]]


def test_a_run_that_begins_in_a_stage_has_its_settings(changed, registry, tmp_path):
    words = {"dataset": "petals:count=64", "out": str(tmp_path / "new")}
    steps = sorted(int(p.stem.split("-")[1]) for p in (changed / "checkpoints").glob("step-*"))
    recorded = load_run(changed)
    assert steps[-1] == 8
    for step in steps:
        run = gankit.compose(registry, init=f"{changed}:{step}", **words)
        before = recorded.at(step - 1)
        assert (run.loss, run.lr_g, run.batch_size) == (before.loss, before.lr_g, before.batch_size)
        assert [*map(str, run.tricks)] == [*map(str, before.tricks)]


def test_a_repetition_can_be_stopped_in_any_stage(changed, registry, tmp_path):
    run = new_run(registry, changed / "run.json", {"out": str(tmp_path / "again")})
    with pytest.raises(RunStopped, match=r"\b2\b.*\b8\b"):
        train(run, registry, stop=stop_after(2), quiet=True)
    with pytest.raises(GankitError, match=r"at step 2.*begins at step 3"):
        go_on(run.folder, registry, lr_g=1e-3)
    with pytest.raises(RunStopped, match=r"\b3\b.*\b8\b"):  # where the second stage begins
        go_on(run.folder, registry, stop=stop_after(1))
    with pytest.raises(RunStopped, match=r"\b7\b.*\b8\b"):  # through the whole second stage
        go_on(run.folder, registry, stop=stop_after(4))
    go_on(run.folder, registry)
    assert hashes_of(run.folder) == hashes_of(changed)
    assert rows_of(run.folder) == rows_of(changed)


def test_a_program_can_end_a_repetition_where_a_stage_begins(changed, registry, tmp_path):
    run = new_run(registry, changed / "run.json", {"out": str(tmp_path / "again")})
    answers = iter([False, False, True])
    again = train(run, registry, stop=lambda: next(answers, False), quiet=True)
    assert len(rows_of(again)) == 3
    go_on(again, registry)
    assert hashes_of(again) == hashes_of(changed)


def test_a_damaged_checkpoint_leads_back_into_the_stage_before(copy_of, changed, registry):
    for step in (4, 5, 6, 7, 8):
        file = copy_of / f"checkpoints/step-{step:06d}/state.safetensors"
        file.write_bytes(file.read_bytes()[:-1])
    shutil.rmtree(copy_of / "checkpoints/step-000003")
    go_on(copy_of, registry)
    kept = hashes_of(copy_of)
    assert {name: kept[name] for name in ("step-000004", "step-000008")} == {
        name: hashes_of(changed)[name] for name in ("step-000004", "step-000008")
    }
    assert rows_of(copy_of) == rows_of(changed)


def test_the_log_has_the_tricks_of_all_stages_and_counts_pictures(changed):
    rows = rows_of(changed)
    assert [round(1000 * float(row["kimg"])) for row in rows] == [8, 16, 24, 36, 48, 60, 84, 108]
    assert rows[0]["ada"]
    assert rows[4]["noisy-d"]
    assert not rows[6]["ema"]
    assert [name for name in rows[0] if name in ("ema", "ada", "noisy-d")] == [
        "ema",
        "ada",
        "noisy-d",
    ]


def test_a_run_whose_metric_is_lost_goes_on_without_it(gankit_run, gankit_cli, plugin_file, here):
    path = plugin_file("""
    class Mine(Metric):
        def score(self, state, generated, reference):
            return 0.5

    @hookimpl
    def register_metrics(register):
        register(MetricSpec(name="mine", summary="a number", source="me", build=Mine))
    """)
    words = ("--metric", "mine", "--holdout", 0.5, "--no-report", "--out", "r")
    assert gankit_run(*words, before=("-p", path)).code == 0
    code, _, err = gankit_cli("run", "--resume", "r", "--steps", 6)
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no metric 'mine'" in err
    assert gankit_cli("run", "--resume", "r", "--steps", 6, "--metric", "none").code == 0
    assert gankit_cli("run", "--resume", "r", "--steps", 8).code == 0


def test_pictures_go_on_in_their_order(changed, registry, trainer_of):
    run = load_run(changed)
    assert [count_batches(run, step) for step in (2, 3, 6, 7)] == [2, 3, 6, 8]
    assert [count_pictures(run, step) for step in (2, 3, 6, 7)] == [16, 24, 60, 84]
    one_by_one = gankit.Batches(*_numbered(20), 1, seed=5)
    before = gankit.Batches(*_numbered(20), 4, seed=5)
    after = gankit.Batches(*_numbered(20), 6, seed=5, batches_before=3, pictures_before=12)
    shown = torch.cat([*(before[i] for i in range(3)), *(after[i] for i in range(3, 6))])
    assert torch.equal(shown, torch.cat([one_by_one[i] for i in range(30)]))


def _numbered(count):
    import numpy as np

    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return (np.broadcast_to(pixels, (count, 8, 8, 3)).copy(),)


def test_a_step_takes_the_batches_after_those_of_earlier_stages(changed, registry, trainer_of):
    run = load_run(changed)
    trainer = trainer_of("none", d_steps=run.d_steps)
    trainer.run = run
    firsts = [trainer._first_batch(step) for step in range(run.steps)]
    assert firsts == [count_batches(run, step) for step in range(run.steps)]


def test_moments_of_adam_and_states_of_tricks_stay(changed):
    before, after = (checkpoint.load(changed / f"checkpoints/step-{step:06d}") for step in (3, 4))
    moment, later = (saved.state["D"]["state"][0] for saved in (before, after))
    assert (moment["step"], later["step"]) == (3, 4)
    assert not torch.equal(moment["exp_avg"], later["exp_avg"] * 2)  # it is not from one step
    assert after.state["D"]["param_groups"][0]["lr"] == 5e-5
    assert before.state["tricks"]["ada"]["p"] <= after.state["tricks"]["ada"]["p"] + 0.1
    weights, average = after.model["G"], after.model["sampler"]
    assert any(not torch.equal(average[name], weights[name]) for name in weights)


def test_a_new_average_begins_with_g_as_it_is_now(small, registry):
    folder = small("without", tricks=("none",), length="1 steps")
    go_on(folder, registry, tricks="ema:decay=0.5,ramp=0", length="2 steps")
    before, after = (checkpoint.load(folder / f"checkpoints/step-{s:06d}") for s in (1, 2))
    for name, now in after.model["G"].items():
        if now.is_floating_point():
            expected = torch.lerp(before.model["G"][name], now, 0.5)
            assert torch.allclose(after.model["sampler"][name], expected, atol=1e-6), name


def test_a_falling_rate_falls_from_the_new_rate(small, registry):
    folder = small("falling", tricks=("lr-decay:begin=0", "ttur:factor=2"), length="2 steps")
    go_on(folder, registry, lr_g=0.01, lr_d=0.02, length="4 steps")
    saved = checkpoint.load(folder / "checkpoints/step-000004")
    rates = {name: saved.state[name]["param_groups"][0]["lr"] for name in ("G", "D")}
    assert rates == {"G": pytest.approx(0.01 / 4), "D": pytest.approx(0.04 / 4)}


def test_frozen_layers_may_be_frozen_later(small, registry):
    folder = small("frozen", tricks=("none",), length="1 steps")
    go_on(folder, registry, tricks="freeze-d:layers=2", length="2 steps")
    before, after = (checkpoint.load(folder / f"checkpoints/step-{s:06d}") for s in (1, 2))
    frozen = [k for k, w in before.model["D"].items() if torch.equal(w, after.model["D"][k])]
    assert 2 <= len([name for name in frozen if name.endswith("weight")]) < 5


def test_before_its_first_step_a_run_may_get_any_trick(copy_of, registry, caplog):
    record = record_of(copy_of)
    (copy_of / "run.json").write_text(json.dumps({**record, "stages": [], "earlier_plans": []}))
    shutil.rmtree(copy_of / "checkpoints")
    go_on(copy_of, registry, tricks="spectral-norm", lr_g=1e-3, length="2 steps")
    assert record_of(copy_of)["stages"] == []
    assert len(rows_of(copy_of)) == 2
    assert caplog.text.count("has no checkpoint yet") == 1


@pytest.mark.parametrize("trick", ["spectral-norm", "minibatch-stddev"])
def test_a_trick_that_changes_the_weights_cannot_come_later(copy_of, registry, trick):
    before = (copy_of / "run.json").read_bytes()
    with pytest.raises(GankitError, match=rf"{trick!r} changes which weights D has"):
        go_on(copy_of, registry, tricks=f"+{trick}", length="9 steps")
    assert (copy_of / "run.json").read_bytes() == before


def test_wrong_changes_are_refused_and_nothing_is_written(copy_of, registry):
    before = (copy_of / "run.json").read_bytes()
    for changes, message in {
        "tricks=emma": "Did you mean 'ema'",
        "loss=hing": "Did you mean 'hinge'",
        "tricks=ema:decy=1": "decy",
        "batch_size=66": "64 pictures",
        "batch_size=0": "batch_size is 0",
        "accumulate=5": "multiple of 5",
        "latent_dim=7": "--latent-dim cannot change",
        "data_seed=7": "--data-seed cannot change",
        "length=7 steps": "past the run's last step",
    }.items():
        name, _, value = changes.partition("=")
        values = {name: int(value) if value.isdigit() else value}
        with pytest.raises(GankitError, match=message):
            go_on(copy_of, registry, **{"length": "9 steps", **values})
    assert (copy_of / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "auto"), [("precision", "auto"), ("draw_every", 0), ("save_every", 0)]
)
def test_what_gankit_chose_for_a_new_run_stays_or_changes_in_a_stage(
    small, registry, tiny, name, auto
):
    chosen = {"precision": "bf16", "draw_every": 2, "save_every": 2}
    settings = {"length": "3 steps", "tricks": ("none",), **chosen}
    folder = small(f"chosen-{name}", **settings)
    option = f"--{name.replace('_', '-')} {auto} is for new runs"
    with pytest.raises(GankitError, match=option):
        resumed(folder, **{name: auto})
    settings |= {"length": "4 steps", "log_every": 1, "report": False, name: auto}
    again = tiny(**settings)
    train(compose(registry, **again, out=str(folder)), registry, resume=True, quiet=True)
    record = record_of(folder)
    assert (record[name], record["stages"]) == (chosen[name], [])


def test_a_change_that_leaves_no_step_is_refused(copy_of, registry):
    with pytest.raises(GankitError, match=r"none is left .*steps.N, with N of 9 or more"):
        go_on(copy_of, registry, lr_g=1e-3)


def test_the_same_settings_again_are_no_change(copy_of, registry):
    stages = record_of(copy_of)["stages"]
    go_on(copy_of, registry, loss="hinge", batch_size=12, length="9 steps")
    assert record_of(copy_of)["stages"] == stages


def test_a_change_that_is_taken_back_at_once_is_no_stage(small, registry):
    folder = small("back", length="1 steps")
    run = dataclasses.replace(load_run(folder), steps=4)
    once = begin_stage(run, dataclasses.replace(run, lr_g=0.1), 1)
    assert once.stages == (Stage(1, {"lr_g": 2e-4}),)
    twice = begin_stage(once, dataclasses.replace(once, lr_g=0.2, flip=True), 1)
    assert twice.stages == (Stage(1, {"lr_g": 2e-4, "flip": False}),)
    back = begin_stage(twice, dataclasses.replace(run, stages=twice.stages), 1)
    assert back.stages == ()
    assert begin_stage(run, dataclasses.replace(run, lr_g=0.1), 0).stages == ()


def test_train_begins_a_stage_for_a_changed_run(small, registry):
    folder = small("python", length="1 steps")
    changed = dataclasses.replace(load_run(folder), steps=2, length="2 steps", lr_g=0.01)
    train(changed, registry, resume=True, quiet=True)
    assert record_of(folder)["stages"] == [{"step": 1, "before": {"lr_g": 2e-4}}]
    fixed = dataclasses.replace(load_run(folder), steps=3, seed=7)
    with pytest.raises(GankitError, match="seed cannot change"):
        train(fixed, registry, resume=True, quiet=True)


def test_a_longer_run_repeats_what_its_schedules_did(small, registry, tmp_path):
    folder = small("longer", tricks=("noisy-d",), length="2 steps")
    go_on(folder, registry, length="4 steps")
    assert record_of(folder)["earlier_plans"] == ["2:2"]
    run = new_run(registry, folder / "run.json", {"out": str(tmp_path / "again")})
    again = train(run, registry, quiet=True)
    assert hashes_of(again) == hashes_of(folder)
    assert rows_of(again) == rows_of(folder)


def test_a_mistake_in_a_later_stage_is_told_before_the_first_step(changed, registry, tmp_path):
    for wrong, message in {"batch_size": "multiple of 2", "tricks": "changes which"}.items():
        value = {"batch_size": 9, "tricks": ("spectral-norm",)}[wrong]
        run = new_run(registry, changed / "run.json", {"out": str(tmp_path / wrong)})
        run = dataclasses.replace(run, **{wrong: value})
        with pytest.raises(GankitError, match=message):
            train(run, registry, quiet=True)
        assert not (tmp_path / wrong).exists()


ODD = """
class Odd(Trick):
    def reals(self, images, gan):
        return images * 0.9

    def activity(self):
        return "odd"


@hookimpl
def register_tricks(register):
    register(TrickSpec(name="odd", summary="Makes pictures dim.", source="me", build=Odd))
"""


def test_the_plugin_of_an_earlier_stage_is_named(here, plugin_file, gankit_run, gankit_cli):
    plugin = ("-p", plugin_file(ODD))
    begun = gankit_run("--trick", "odd", "--out", "run", "--steps", 1, before=plugin)
    assert (begun.code, begun.out.startswith("gankit -p mine.py run ")) == (0, True)
    words = ("run", "--resume", "run", "--trick", "none", "--steps", 2)
    code, _, err = gankit_cli(*words)
    assert (code, "-p mine.py" in err) == (2, True)
    assert gankit_cli(*plugin, *words).code == 0
    assert "trick odd" in record_of(here / "run")["versions"]["plugins"]
    assert gankit_cli("run", "--resume", "run", "--steps", 3).code == 0
    code, _, err = gankit_cli("run", "--config", "run/run.json", "--out", "again")
    assert (code, "-p mine.py" in err) == (2, True)
    assert gankit_cli(*plugin, "run", "--config", "run/run.json", "--out", "again").code == 0
    assert hashes_of(here / "again")["step-000003"] == hashes_of(here / "run")["step-000003"]


def test_options_override_all_stages(changed, registry):
    run = new_run(
        registry, changed / "run.json", {"lr_g": 0.5, "tricks": ("ema",), "loss": "hinge"}
    )
    assert [stage.step for stage in run.stages] == [3, 6]
    assert {run.at(step).lr_g for step in (0, 3, 7)} == {0.5}
    assert {run.at(step).tricks for step in (0, 3, 7)} == {("ema",)}
    assert [run.at(step).batch_size for step in (0, 3, 7)] == [8, 12, 12]


def test_observers_learn_that_a_stage_ends_and_the_next_begins(changed, registry, tmp_path):
    heard = []

    class Ear:
        @hookimpl
        def run_started(self, run, gan):
            heard.append((gan.step, run.batch_size, gan.D.adam.param_groups[0]["lr"]))

        @hookimpl
        def run_finished(self, run, outcome):
            heard.append((outcome["state"], outcome["step"]))

    run = new_run(registry, changed / "run.json", {"out": str(tmp_path / "again")})
    train(run, registry, observers=Ear(), quiet=True)
    assert heard == [
        *((0, 8, 2e-4), ("stage", 3), (3, 12, 5e-5), ("stage", 6)),
        *((6, 12, 5e-5), ("finished", 8)),
    ]


def test_steps_of_every_stage_can_be_unfolded(changed, registry):
    from gankit_unfold.unfolding import unfold

    steps = unfold(changed, [2, 4, 7], registry=registry).steps
    assert [step.batch_size for step in steps] == [8, 12, 12]


def test_pictures_of_every_stage_can_be_sampled(changed, registry):
    for step in (3, 5, 8):
        assert gankit.load(changed, step, registry).sample(seed=1).size == (16, 16)


def test_what_changed_is_told(changed):
    run = load_run(changed)
    assert describe_stage(run.at(4)) == (
        "stage 2 from step 3 on: trick ema:decay=0.8 (before: ema:decay=0.9), new trick noisy-d, "
        "trick ada (before: ada:kimg=1), --batch-size 12 (before: 8), --lr-g 0.0001 (before: "
        "0.0002), --lr-d 5e-05 (before: 0.0002)"
    )
    assert "without trick ema" in describe_stage(run)
    assert "--flip," in describe_stage(run)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"step": 3}], "a stage of the run is"),
        ([{"step": "3", "before": {}}], "whole number"),
        ([{"step": 3, "before": {"seed": 1}}], "'seed'"),
        ([{"step": 3, "before": {"lr_g": "fast"}}], "lr_g is 'fast'"),
        ([{"step": 3, "before": {"lr_g": 7.0}}], "lr_g is 7"),
        ([{"step": 3, "before": {"zoom": 0.0}}], "zoom 0; it must be from 1"),
        ([{"step": 0, "before": {"lr_g": 0.1}}], "in the order of their steps"),
        ([{"step": 5, "before": {"lr_g": 0.1}}] * 2, "in the order of their steps"),
        ([{"step": 8, "before": {"lr_g": 0.1}}], "begins at step 8"),
        ([{"step": n, "before": {"lr_g": 0.1}} for n in range(1, 102)], "at most 100"),
        ("often", "a stage of the run is"),
    ],
)
def test_a_wrong_stage_in_a_run_json_is_named(copy_of, registry, stages, message):
    record = {**record_of(copy_of), "stages": stages}
    (copy_of / "run.json").write_text(json.dumps(record))
    with pytest.raises(GankitError, match=message):
        go_on(copy_of, registry)


def test_a_run_without_stages_in_its_run_json_loads(copy_of):
    record = record_of(copy_of)
    del record["stages"]
    (copy_of / "run.json").write_text(json.dumps(record))
    assert "stages" not in read_run(copy_of)
    assert load_run(copy_of).stages == ()


def test_a_dry_run_says_what_would_change_and_changes_nothing(copy_of, gankit_cli):
    before = (copy_of / "run.json").read_bytes()
    options = ("--steps", 10, "--lr-g", 0.01, "--no-flip", "--dry-run")
    code, out, _ = gankit_cli("run", "--resume", copy_of, *options)
    lines = dict(line.split(maxsplit=1) for line in out.splitlines() if " " in line)
    assert code == 0
    assert lines["resume"] == "at step 8 of 10"
    assert "stage 4        from step 8 on: --no-flip, --lr-g 0.01 (before: 0.0001)\n" in out
    assert "10 steps = 0.2 kimg" in lines["length"]
    assert (copy_of / "run.json").read_bytes() == before


def test_the_command_line_changes_settings_and_tells_it(copy_of, gankit_cli, monkeypatch):
    monkeypatch.setattr("gankit.core.device.emulates_bf16", lambda device: False)
    code, out, err = gankit_cli("run", "--resume", copy_of, "--steps", 9, "--lr", "1e-3")
    assert (code, err) == (0, "")
    assert "stage 4 from step 8 on: --lr-g 0.001 (before: 0.0001), --lr-d" in out
    assert "gankit run --config copy/run.json" in out
    code, _, err = gankit_cli("run", "--resume", copy_of, "--steps", 12, "--trick", "+emma")
    assert code == 2
    assert "'ema'" in err
    code, _, err = gankit_cli("run", "--config", copy_of / "run.json", "--budget", "1m")
    assert code == 2
    assert "--budget" in err


def test_a_repetition_says_which_stages_will_come(changed, gankit_cli, here):
    code, out, _ = gankit_cli("run", "--config", changed / "run.json", "--out", "again")
    assert code == 0
    first, *others = out.splitlines()
    assert first == "gankit run --config again/run.json"
    begins = [line.partition(" on: ")[0] for line in others if line.startswith("stage ")]
    assert begins == [
        *("stage 2 from step 3", "stage 3 from step 6"),  # to come
        *("stage 1 ends at step 3 of 8", "stage 2 from step 3"),
        *("stage 2 ends at step 6 of 8", "stage 3 from step 6"),
    ]


def test_the_report_marks_each_stage(changed):
    from gankit_report.page import render_report

    page = render_report([changed])
    assert page.count('class="stage"') >= 2 * page.count('aria-label="D(x)')
    assert "<title>stage 2 from step 3 on: " in page
    assert "settings changed at step 3 and 6" in page
    assert "108 pictures" in page


def test_the_doctor_judges_each_look_with_the_settings_of_its_stage(changed, registry):
    from gankit_doctor.diagnosis import cured_command
    from gankit_doctor.engine import replay

    from gankit.core.contracts.seen import History

    asked = []

    class Ear:
        name, plugin, needs, warm_up, judges_pictures = "ear", "", (), 0, False

        def look(self, seen):
            asked.append((seen.step, seen.run.batch_size, seen.run.loss))

    run = load_run(changed)
    history = History()
    for step in (3, 4, 8):
        history.add({"step": step, "doctor.far": 0.5})
    replay(run, history, [Ear()])
    assert asked == [(3, 8, "non-saturating"), (4, 12, "non-saturating"), (8, 12, "hinge")]
    command = cured_command(run, {"lr_d": 1e-5})
    assert "--config" not in command
    assert "--lr-d 1e-05" in command
    assert "--loss hinge" in command
    assert "--batch-size 12" in command


def test_the_doctor_knows_no_stage_that_is_still_to_come(changed, registry):
    """As in a run that is repeated with --config, and stopped in its first stage."""
    from gankit_doctor.build_rules import build_rules
    from gankit_doctor.diagnosis import diagnose
    from gankit_doctor.engine import replay

    from gankit.core.contracts.seen import History

    run = load_run(changed)
    run = dataclasses.replace(run, lr_g=2e-4, stages=(Stage(3, {"lr_g": 0.5}),))
    history = History()
    history.add({"step": 2, "doctor.step_d": 0.01, "doctor.step_g": 0.5})
    rules = [rule for rule in build_rules(registry) if rule.name == "step-size"]
    (finding,) = diagnose(replay(run, history, rules), run, history, registry).findings
    assert finding.evidence["lr_g"] == 0.5
    assert finding.cure == "Lower the learning rate of G."
    assert "--lr-g 0.0002" in finding.command
    history.add({"step": 4, "d_loss": 1.0})
    (finding,) = diagnose(replay(run, history, rules), run, history, registry).findings
    assert finding.command == ""
    assert "settings were changed" in finding.cure


def test_a_run_with_stages_can_be_compared_with_one_without(changed, small, gankit_cli):
    other = small("other", length="1 steps")
    code, out, err = gankit_cli("compare", changed, other, "--samples", 20, "--metric", "swd")
    assert (code, err) == (0, "")
    assert "until step 3: " in out


def test_a_race_takes_no_run_with_stages(changed, gankit_cli):
    options = ("--vary", "lr=1e-4,1e-3", "--metric", "swd", "--out", "race")
    code, _, err = gankit_cli("race", "--config", changed / "run.json", *options)
    assert code == 2
    assert "settings change in the middle" in err
