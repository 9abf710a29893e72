"""Runs whose steps become slower: what a step costs in each phase, and what is said of it."""

from types import SimpleNamespace

import pytest

from gankit.cli.console.time_left import TimeLeft
from gankit.core.gan import Gan
from gankit.training.budget import phase_costs
from gankit.training.budget.phase_costs import PhaseCosts, time_phases
from gankit.training.budget.plan_budget import measure_costs

GROWING = {"model": "grow64:base_channels=2", "image_size": 32, "threads": 1}


def test_one_phase_costs_the_same_everywhere():
    costs = PhaseCosts()
    assert costs.mean() == costs.mean(0.3, 0.7) == costs.mean(0.999) == 1.0
    assert costs.between(0, 0.3) == 0.3


def test_the_mean_of_phases_is_weighted_with_their_shares():
    costs = PhaseCosts((0.0, 0.2, 0.4), (1.0, 2.0, 10.0))
    assert costs.mean() == pytest.approx(0.2 * 1 + 0.2 * 2 + 0.6 * 10)
    assert costs.mean(0.1, 0.3) == pytest.approx(1.5)
    assert costs.mean(0.4) == pytest.approx(10)
    assert costs.between(0, 0.4) == pytest.approx(0.6)


@pytest.fixture
def slow_pictures(monkeypatch):
    """A clock in which a step takes a second for each pixel of a side."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(phase_costs, "time", SimpleNamespace(perf_counter=lambda: clock.now))

    def watch(trainer):
        take_step = trainer.step

        def step(number):
            scalars = take_step(number)
            clock.now += 32 >> trainer.gan.G.net.halvings
            return scalars

        trainer.step = step
        return trainer

    return watch


def test_each_phase_is_timed(trainer_of, slow_pictures):
    trainer = slow_pictures(trainer_of("grow", **GROWING))
    assert time_phases(trainer) == PhaseCosts((0.0, 0.2, 0.4), (8.0, 16.0, 32.0))


def test_a_run_with_one_phase_is_not_timed_here(trainer_of):
    trainer = trainer_of("smooth-labels")
    trainer.step = None
    assert time_phases(trainer) == PhaseCosts()


def test_budgets_and_estimates_know_all_phases(trainer_of, registry, monkeypatch):
    trainer = trainer_of("grow", **GROWING)
    costs = PhaseCosts((0.0, 0.2, 0.4), (1.0, 2.0, 10.0))
    monkeypatch.setattr("gankit.training.budget.plan_budget.time_phases", lambda *_: costs)
    measured, run = measure_costs(trainer.run, registry, trainer.prepared)
    assert measured == costs
    assert run.steps == trainer.run.steps


def test_the_phase_of_a_step_is_known(trainer_of):
    gan: Gan = trainer_of("grow", **GROWING, length="10 steps").gan
    assert gan.phases == pytest.approx([0.2, 0.4])
    phases = []
    for step in range(10):
        gan.step = step
        phases.append(gan.phase)
    assert phases == [0, 0, 1, 1, 2, 2, 2, 2, 2, 2]


def test_the_time_left_is_that_of_the_phase():
    gan = SimpleNamespace(step=0, phase=0, phases=[0.5])
    time_left = TimeLeft(gan)
    assert time_left.update(10, 5.0) == 2.0
    assert time_left.describe(20) == "more than 10 s"
    gan.phase = 1
    assert time_left.update(20, 10.0) == 2.0
    assert time_left.describe(20) == "more than 10 s"  # the new speed is not known yet
    assert time_left.update(30, 30.0) == 0.5
    assert time_left.describe(20) == "40 s"


def test_a_run_with_one_phase_tells_its_mean_speed():
    time_left = TimeLeft(SimpleNamespace(step=100, phase=0, phases=[]))
    assert time_left.update(110, 5.0) == 2.0
    assert time_left.update(120, 20.0) == 1.0
    assert time_left.describe(20) == "20 s"
