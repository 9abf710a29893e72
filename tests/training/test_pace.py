"""A run says once when its steps have become several times slower."""

from types import SimpleNamespace

import pytest

from gankit import compose
from gankit.training import pace as pace_module
from gankit.training.pace import Pace


@pytest.fixture
def pace_of(registry, monkeypatch, caplog):
    """`pace_of([1, 1, 9])`: the warnings of a run whose intervals of 10 steps take these times."""

    def follow(seconds, threads=2, device="cpu"):
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(pace_module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
        pace = Pace(compose(registry, threads=threads, device=device, out="runs/my run"))
        caplog.clear()
        for index, interval in enumerate(seconds, start=1):
            with pace.timing():
                clock.now += interval
            clock.now += 100  # grids, checkpoints and metrics do not count
            pace.check(10 * index)
        return [record.getMessage() for record in caplog.records]

    return follow


def test_lasting_slowness_is_said_once_with_the_way_out(pace_of):
    (warning,) = pace_of([1, 2, 2, *[14] * 10, 2, *[14] * 10])
    for fact in ("7 times", "gankit run --resume", "runs/my run", "--threads 1"):
        assert fact in warning


@pytest.mark.parametrize(
    "seconds",
    [
        [2] * 20,
        [60, *[2] * 20],  # the first interval has one-off work
        [60, 2, 2, 60, 60, 2, 60, 60, 2],  # a moment of other work
        [2, 2, *[5] * 20],  # somewhat slower
        [0.01, 0.01, *[0.5] * 10],  # too short to matter
        [*[20] * 10, *[2] * 10],  # faster
    ],
)
def test_other_runs_say_nothing(pace_of, seconds):
    assert pace_of(seconds) == []


def test_fewer_threads_would_not_help(pace_of):
    slow = [1, 1, *[9] * 10]
    assert len(pace_of(slow)) == 1
    assert pace_of(slow, threads=1) == []
    assert pace_of(slow, device="cuda:0") == []


def test_steps_of_a_later_phase_are_not_compared_with_quicker_ones(pace_of, registry, caplog):
    pace = Pace(compose(registry, threads=2, device="cpu", out="runs/my run"))
    for index, seconds in enumerate([1] * 5 + [20] * 10):
        pace.seconds = seconds
        pace.check(10 * (index + 1), phase=int(seconds == 20))
    assert not caplog.messages
    for index in range(15, 25):
        pace.seconds = 80
        pace.check(10 * (index + 1), phase=1)
    assert len(caplog.messages) == 1
