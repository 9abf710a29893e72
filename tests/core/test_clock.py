"""A clock that stands still or goes back divides nothing by zero and ends every measurement."""

import dataclasses
import itertools
import math
import time
from types import SimpleNamespace

import pytest
from gankit_race import plan as race_plan
from gankit_race.plain_view import RaceProgress

from gankit.cli.console.live import LiveView
from gankit.cli.console.plain import PlainView
from gankit.compute import threads
from gankit.core.clock import format_duration, format_time_left, rate
from gankit.data.prepare import prepare
from gankit.training import assemble
from gankit.training.budget import plan_budget
from gankit.training.budget.replan import Budget, Stopwatch
from gankit.training.pace import Pace
from gankit.training.settings.compose import compose

BACK = itertools.count(0.0, -1.0)
CLOCKS = {"standing": lambda: 5.0, "going back": lambda: next(BACK)}
SCALARS = {"d_loss": 1.0, "g_loss": 1.0, "d_real": 0.5, "d_fake": 0.5, "activity": {}}


@pytest.fixture(params=CLOCKS.values(), ids=CLOCKS)
def odd_clock(request, monkeypatch):
    for name in ("perf_counter", "monotonic", "time"):
        monkeypatch.setattr(time, name, request.param)


def test_durations_and_speeds():
    assert format_duration(-3) == "0 s"
    assert format_duration(math.nan) == format_duration(math.inf) == "?"
    assert rate(8, 0) == rate(8, -1) > 1e9
    assert rate(8, 2) == 4
    assert format_time_left(8, 2) == "4 s"
    assert format_time_left(8, 0) == format_time_left(8, -1) == "?"


@pytest.mark.parametrize("seconds", [0.0, -1.0])
@pytest.mark.parametrize("view", [PlainView, LiveView])
def test_the_views_of_a_run(view, seconds, odd_clock, registry, tiny, tmp_path, capsys):
    run = compose(registry, **tiny(out=str(tmp_path / "run")))
    shown = view(run, SimpleNamespace(step=0, phase=0, phases=[]))
    for step in (0, 1, 4):
        shown.step_done(step, {**SCALARS, "seconds": seconds})
    outcome = {"state": "finished", "step": 4, "seconds": seconds, "tricks": {}, "message": ""}
    shown.finished(outcome)
    assert "finished after 0 s" in capsys.readouterr().out


def test_the_number_of_threads_is_chosen(odd_clock):
    seconds = threads.time_threads([2, 1], lambda: None)
    assert set(seconds) == {1, 2}
    assert threads.select(seconds) in (1, 2)


def test_steps_are_timed(odd_clock, registry, tiny, monkeypatch):
    monkeypatch.setattr(plan_budget, "MAX_TIMED_STEPS", 8)
    monkeypatch.setattr(race_plan, "MAX_TIMED_STEPS", 8)
    run = compose(registry, **tiny(compile="no"))
    prepared = prepare(run, registry, lambda done, total: None)
    run = assemble.resolve_auto(run, prepared)
    seconds, _ = plan_budget.measure_step_time(run, registry, prepared)
    assert seconds > 0
    trainer = assemble.assemble(run, registry, prepared)
    timing = race_plan.TIMING_OF_BUDGET
    (step_seconds,) = race_plan.time_steps([trainer], lambda done, total: None, timing)
    assert step_seconds > 0


def test_the_pace_of_a_clock_that_stood_still(registry, tiny):
    pace = Pace(compose(registry, **tiny(threads=2)))
    for step, seconds in enumerate([1.0, 0.0, 0.0, 20.0, 20.0, 20.0, -5.0], 1):
        pace.seconds = seconds
        pace.check(step)
    assert pace.fastest == 20.0


def test_a_budget(odd_clock, registry, tiny):
    run = compose(registry, **tiny(length="100 steps"))
    run = dataclasses.replace(run, steps=100, draw_every=10, save_every=10)
    budget = Budget("10s", 10.0)
    stopwatch = Stopwatch()
    budget.begin(stopwatch)
    for done in range(1, 100):
        run = budget.keep(run, done, stopwatch)
    assert run.steps >= 100


def test_the_time_left_of_a_race():
    variant = SimpleNamespace(label="a", step_seconds=0.0, run=SimpleNamespace(steps=8))
    progress = RaceProgress(
        SimpleNamespace(variants=[variant], seeds=[0], all_runs=lambda: [(variant, 0)]), []
    )
    progress.begin_run(variant, 0)
    assert progress.seconds_left() == 0
