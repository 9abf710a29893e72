"""A run with a budget in time is planned anew while it is early, and later announced if late."""

import dataclasses
import json
import logging
import shlex
import shutil
import signal
from types import SimpleNamespace

import pytest

from gankit import GankitError, compose, hookimpl, train
from gankit.cli.run.from_options import resumed
from gankit.core.errors import RunStopped
from gankit.core.parts.registry import load_registry
from gankit.training.budget import replan
from gankit.training.budget.phase_costs import PhaseCosts
from gankit.training.budget.replan import Budget
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.run_file import load_run

ALIKE = PhaseCosts()
SCHEDULED = ("noisy-d:sigma=0.3,until=0.9", "lr-decay", "ema:decay=0.9", "top-k:until=0.8")


class Computer:
    """A computer whose clock only moves when a run works; `step_seconds(step)` is its speed."""

    def __init__(self):
        self.now = 1000.0
        self.steps = 0
        self.stop_at = None
        self.step_seconds = lambda step: 1.0

    def work(self, done, total, stage):
        """For `train(progress=...)`, which calls it after each step."""
        if stage == "training":
            self.steps += 1
            self.now += self.step_seconds(self.steps)

    def poll(self):
        """For `train(stop=...)`."""
        return signal.SIGINT if self.steps == self.stop_at else False


@pytest.fixture
def computer(monkeypatch):
    computer = Computer()
    clock = SimpleNamespace(perf_counter=lambda: computer.now)
    monkeypatch.setattr(replan, "time", clock)
    return computer


@pytest.fixture
def run_in(registry, tiny, tmp_path, computer):
    """`run_in("40s", steps=40)`: train a run that was planned with 40 steps; returns its folder."""

    def run(text, steps, name="run", tricks=("none",), registry=registry, costs=ALIKE, **settings):
        settings = {"log_every": 1, "draw_every": 1000, **settings}
        out = str(tmp_path / name)
        run = compose(registry, **tiny(tricks=tricks, length=f"{steps} steps", **settings), out=out)
        computer.steps = 0
        budget = Budget(text, float(text.removesuffix("s")))
        budget.costs = costs
        return train(run, registry, stop=computer.poll, progress=computer.work, budget=budget)

    return run


def weights_of(folder):
    """The name of the last checkpoint, and the hashes of its weights, moments and tricks."""
    last = checkpoint.list_checkpoints(folder / "checkpoints")[0]
    return last.name, json.loads((last / "manifest.json").read_text())["sha256"]


def record_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_a_run_that_goes_as_planned_is_not_planned_anew(run_in, computer, caplog):
    record = record_of(run_in("40s", steps=40))
    assert (record["steps"], record["earlier_plans"]) == (40, [])
    assert computer.now == 1040
    assert caplog.text == ""


@pytest.mark.parametrize(("seconds", "steps"), [(2.0, 20), (0.5, 80), (5.0, 8)])
def test_steps_of_another_speed_change_the_length(run_in, computer, caplog, seconds, steps):
    computer.step_seconds = lambda step: seconds
    record = record_of(run_in("40s", steps=40))
    assert record["steps"] == pytest.approx(steps, abs=2)
    assert computer.now - 1000 == pytest.approx(40, rel=0.15)
    (message,) = [record.getMessage() for record in caplog.records]
    for fact in (f"{record['steps']} steps", "instead of 40", "--budget 40s"):
        assert fact in message
    assert record["length"] == f"{record['steps']} steps"
    assert record["command"].endswith(f"--steps {record['steps']}")


@pytest.mark.parametrize("change", [2, 23])
@pytest.mark.parametrize("seconds", [0.5, 7.0])
def test_a_load_that_changes_early_is_planned_in(run_in, computer, change, seconds):
    computer.step_seconds = lambda step: 1.0 if step <= change else seconds
    run_in("100s", steps=100)
    assert computer.now - 1000 == pytest.approx(100, rel=0.15)


def test_grids_checkpoints_and_metrics_count(run_in, computer):
    class Slow:
        @hookimpl
        def step_done(self, run, step):
            if step % (run.steps // 5) == 0:  # as metrics
                computer.now += 6.0

        @hookimpl
        def samples_drawn(self, step):
            computer.now += 0.8

        @hookimpl
        def checkpoint_saved(self, step):
            computer.now += 2.0

    registry = load_registry()
    assert not registry.load("slow", Slow).error
    settings = {"draw_every": 5, "save_every": 8, "registry": registry}
    record = record_of(run_in("100s", steps=100, **settings))
    assert record["steps"] < 80
    assert (record["draw_every"], record["save_every"]) == (5, 8)  # as they were given
    assert computer.now - 1000 == pytest.approx(100, rel=0.15)


def test_intervals_that_follow_from_the_length_change_with_it(run_in, computer):
    computer.step_seconds = lambda step: 0.1
    record = record_of(run_in("102s", steps=102, log_every=20, draw_every=0))
    assert record["steps"] > 1000
    assert record["draw_every"] == record["steps"] // 40
    assert record["save_every"] == record["steps"] // 10


def test_a_late_change_is_announced_once_and_the_plan_is_kept(run_in, computer, caplog):
    computer.step_seconds = lambda step: 1.0 if step < 60 else 4.0
    assert record_of(run_in("100s", steps=100))["steps"] == 100
    (message,) = [record.getMessage() for record in caplog.records]
    assert "--budget 100s" in message
    assert "min" in message


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_steps_that_become_slower_later_are_planned_in(run_in, computer, caplog, factor):
    """The steps of the last three fifths take four times as long, and were measured so or not."""
    costs = PhaseCosts((0.0, 0.4), (1.0, 4.0))
    computer.seconds = []

    def step_seconds(step):
        total = computer.total
        computer.seconds.append(factor * (4.0 if step > 0.4 * total else 1.0))
        return computer.seconds[-1]

    computer.total = 100
    computer.step_seconds = step_seconds
    work = computer.work

    def follow(done, total, stage):
        computer.total = total or 100
        work(done, total, stage)

    computer.work = follow
    record = record_of(run_in("280s", steps=100, costs=costs))
    assert record["steps"] == pytest.approx(100 / factor, rel=0.07)
    assert computer.now - 1000 == pytest.approx(280, rel=0.15)
    assert not [message for message in caplog.messages if "instead of --budget" in message]


def test_the_length_does_not_change_once_rates_may_have_fallen(run_in, computer, caplog):
    """Half of the steps are done at the first logged step."""
    computer.step_seconds = lambda step: 0.1
    assert record_of(run_in("40s", steps=40, log_every=20))["steps"] == 40


def test_the_end_of_a_run_is_measured_after_a_new_plan(run_in, computer):
    computer.step_seconds = lambda step: 2.0
    folder = run_in("40s", steps=40, metrics=("swd",), measure_every=1000, holdout=0.5)
    steps = record_of(folder)["steps"]
    assert steps < 30
    assert f"\n{steps}," in (folder / "metrics.csv").read_text()


@pytest.fixture
def planned_anew(run_in, computer):
    """A whole run that was planned anew after 2 and 4 of 32 steps."""
    computer.step_seconds = lambda step: 1.0 if step <= 2 else 2.0
    whole = run_in("20s", steps=32, name="whole", tricks=SCHEDULED, save_every=3)
    record = record_of(whole)
    assert len(record["earlier_plans"]) >= 2
    assert int(record["earlier_plans"][1].partition(":")[0]) < 6
    return whole


@pytest.mark.parametrize("stop_at", [3, 7])
def test_a_run_planned_anew_resumes_bit_for_bit(planned_anew, run_in, computer, registry, stop_at):
    computer.stop_at = stop_at
    with pytest.raises(RunStopped):
        run_in("20s", steps=32, name="parts", tricks=SCHEDULED, save_every=3)
    parts = planned_anew.parent / "parts"
    if stop_at == 3:  # before the last new plan
        shutil.copy(planned_anew / "run.json", parts / "run.json")
    train(resumed(parts), registry, resume=True)
    assert weights_of(parts) == weights_of(planned_anew)


def test_a_checkpoint_from_before_the_new_plan_resumes_bit_for_bit(
    planned_anew, run_in, computer, registry
):
    """As after a kill: run.json has the new plan, and the newest checkpoint is older."""
    computer.stop_at = 1
    with pytest.raises(RunStopped):
        run_in("20s", steps=32, name="killed", tricks=SCHEDULED, save_every=3)
    killed = planned_anew.parent / "killed"
    shutil.copy(planned_anew / "run.json", killed / "run.json")
    train(resumed(killed), registry, resume=True)
    assert weights_of(killed) == weights_of(planned_anew)


@pytest.mark.parametrize("how", ["command", "config"])
def test_a_run_planned_anew_is_repeated(planned_anew, gankit_cli, how):
    record = record_of(planned_anew)
    argv = shlex.split(record["command"])[1:]
    if how == "config":
        argv = ["run", "--config", str(planned_anew / "run.json")]
    argv += ["--log-every", "1", "--device", "cpu", "--save-every", "3", "--out", "again"]
    assert gankit_cli(*argv).code == 0
    again = planned_anew.parent / "again"
    assert weights_of(again) == weights_of(planned_anew)


def test_a_new_length_in_place_of_the_config_files_has_no_earlier_plans(planned_anew, gankit_cli):
    argv = ("run", "--config", planned_anew / "run.json", "--steps", 2, "--out", "short")
    assert gankit_cli(*argv).code == 0
    assert record_of(planned_anew.parent / "short")["earlier_plans"] == []


def test_the_plan_of_each_step(registry):
    run = dataclasses.replace(compose(registry), steps=20, earlier_plans=("2:32", "5:18"))
    planned = [run.planned_steps(step) for step in range(7)]
    assert planned == [32, 32, 18, 18, 18, 20, 20]


@pytest.mark.parametrize("plan", ["5", "5:", ":5", "5:0", "-1:5", "a:b", "5:6:7", ""])
def test_a_plan_that_is_none(registry, plan):
    with pytest.raises(GankitError, match="earlier_plans"):
        compose(registry, earlier_plans=(plan,))


def test_if_run_json_cannot_be_written_the_plan_is_kept(run_in, computer, monkeypatch, caplog):
    def fail(run):
        raise GankitError("the disk is full")

    monkeypatch.setattr("gankit.training.budget.replan.update_run", fail)
    computer.step_seconds = lambda step: 2.0
    folder = run_in("40s", steps=40)
    assert load_run(folder).steps == 40
    assert "the disk is full" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING
