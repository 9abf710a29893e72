"""The number of CPU threads of a run that names none is measured before it starts."""

import json
from types import SimpleNamespace

import pytest
import torch

from gankit import compose, prepare, train
from gankit.compute import threads as threads_module
from gankit.compute.threads import (
    candidates,
    choose_threads,
    restore_threads,
    select,
    time_threads,
    training_pass,
)
from gankit.testing.harness import open_harness
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.run_folder.run_file import load_run

BUSY = {2: 0.1, 1: 0.01}  # threads -> seconds, while another program computes
IDLE = {2: 0.01, 1: 0.02}


@pytest.fixture
def measured(monkeypatch):
    """`measured(BUSY)`: two threads by default; a list with an entry for each measurement."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    torch.set_num_threads(2)
    measurements = []

    def pretend(seconds):
        def time_threads(numbers, work):
            measurements.append(numbers)
            return seconds

        monkeypatch.setattr(threads_module, "time_threads", time_threads)
        return measurements

    yield pretend
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [
        (IDLE, 2),
        (BUSY, 1),
        ({2: 1.2, 1: 1.0}, 2),  # not clearly faster
        ({8: 1.0, 4: 1.1, 2: 2.0, 1: 4.0}, 8),
        ({8: 3.0, 4: 1.0, 2: 0.9, 1: 1.6}, 4),
        ({6: 9.0, 3: 6.0, 1: 2.0}, 1),
        ({6: 1.0, 3: 1.1, 1: 0.7}, 1),
    ],
)
def test_fewer_threads_only_if_they_are_clearly_faster(seconds, threads):
    assert select(seconds) == threads


@pytest.mark.parametrize(
    ("most", "numbers"), [(1, [1]), (2, [2, 1]), (6, [6, 3, 1]), (16, [16, 8, 4, 2, 1])]
)
def test_the_numbers_that_are_tried(most, numbers):
    assert candidates(most) == numbers


def test_a_busy_computer_gets_fewer_threads_and_a_warning(measured, caplog):
    measured(BUSY)
    assert choose_threads() == torch.get_num_threads() == 1
    (record,) = caplog.records
    for fact in ("--threads 1", "--threads 2", "10.0 times"):
        assert fact in record.getMessage()
    assert record.levelname == "WARNING"


def test_an_idle_computer_keeps_all_threads_silently(measured, caplog):
    measured(IDLE)
    assert choose_threads() == torch.get_num_threads() == 2
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHELASTIC_RUN_ID"])
def test_nothing_is_measured_if_the_environment_decides(name, measured, monkeypatch):
    measurements = measured(BUSY)
    monkeypatch.setenv(name, "2")
    assert choose_threads() == 2
    assert measurements == []


def test_a_moment_of_other_work_does_not_decide(monkeypatch):
    """The clock only moves with the work: 5 ms, or 10 ms with one thread, and two long pauses."""
    clock = SimpleNamespace(now=0.0, calls=0)

    def work():
        clock.calls += 1
        clock.now += 0.01 if torch.get_num_threads() == 1 else 0.005
        clock.now += 0.05 if clock.calls in (2, 12) else 0

    monkeypatch.setattr(threads_module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    with restore_threads(restore=True):
        seconds = time_threads([2, 1], work)
    assert seconds == pytest.approx({2: 0.005, 1: 0.01})
    assert torch.get_num_threads() == 1


def test_the_measurement_ends_on_a_computer_where_it_is_slow(monkeypatch):
    clock = SimpleNamespace(now=0.0)

    def work():
        clock.now += 0.5

    monkeypatch.setattr(threads_module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    with restore_threads(restore=True):
        time_threads([2, 1], work)
    assert clock.now < 10


def test_the_measurement_draws_no_random_numbers_and_needs_no_grad_mode():
    before = torch.get_rng_state()
    with torch.no_grad():
        training_pass(4)()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def run_of(registry, tiny, tmp_path):
    def build(name, **settings):
        settings = {"tricks": "none", "length": "2 steps", **settings}
        return compose(registry, **tiny(**settings), out=str(tmp_path / name))

    return build


def test_a_run_records_its_threads_and_keeps_them_when_it_is_resumed(run_of, registry, measured):
    measurements = measured(BUSY)
    folder = train(run_of("run"), registry)
    assert json.loads((folder / "run.json").read_text())["threads"] == 1
    assert torch.get_num_threads() == 2  # for what the program does next
    assert len(measurements) == 1
    train(load_run(folder, length="4 steps"), registry, resume=True)
    assert json.loads((folder / "run.json").read_text())["threads"] == 1
    assert len(measurements) == 1


def test_a_run_that_names_its_threads_is_not_measured(run_of, registry, measured):
    measurements = measured(BUSY)
    folder = train(run_of("run", threads=2), registry)
    assert load_run(folder).threads == 2
    assert measurements == []


def test_a_run_on_a_gpu_is_not_measured(run_of, registry, measured, monkeypatch):
    measurements = measured(BUSY)
    run = run_of("run")
    prepared = prepare(run, registry, lambda done, total: None)
    monkeypatch.setattr("gankit.training.assemble.select_device", lambda name: torch.device("meta"))
    monkeypatch.setattr(
        "gankit.training.assemble.setup_machine",
        lambda *options: SimpleNamespace(device=torch.device("meta"), precision="32"),
    )
    assert resolve_auto(run, prepared).threads == 2
    assert measurements == []


def test_losses_do_not_depend_on_the_measurement(run_of, registry, measured, monkeypatch):
    """The same number of threads, measured or named, gives the same losses."""
    measured({2: 0.01, 1: 0.02})
    losses = []
    for threads in (0, 2):
        run = run_of("run", threads=threads)
        prepared = prepare(run, registry, lambda done, total: None)
        trainer = assemble(resolve_auto(run, prepared), registry, prepared)
        assert trainer.run.threads == 2
        losses.append([float(trainer.step(step)["d_loss"]) for step in range(2)])
    assert losses[0] == losses[1]


def test_checks_of_parts_are_not_measured(measured):
    """They compare steps bit for bit."""
    measurements = measured(BUSY)
    with open_harness("loss", "hinge", None, {}) as harness:
        harness.trainer()
    assert measurements == []


def test_a_budget_measures_once(gankit_run, measured, here):
    measurements = measured(BUSY)
    assert gankit_run("--budget", "0.1s", "--out", "run").code == 0
    assert len(measurements) == 1
    assert load_run(here / "run").threads == 1


def test_an_empty_variable_names_no_number_of_threads(measured, monkeypatch):
    measurements = measured(BUSY)
    monkeypatch.setenv("OMP_NUM_THREADS", "")  # of a script whose variable was never set
    assert choose_threads() == 1
    assert measurements == [[2, 1]]
