"""Numbers that tricks and observers report: columns of log.csv, and curves in TensorBoard."""

import math

import pytest
import torch

from gankit import compose, load_run, train
from gankit.core.reported import numbers_of, text_of
from gankit.runs import run_writer
from gankit.runs.log import read_log, read_rows, write_rows
from gankit.training.checks.returns import require_activity


@pytest.fixture
def run_of(tiny, here):
    def build(name="run", **settings):
        settings = {"length": "6 steps", "log_every": 2, "tricks": ["noisy-d", "ema"], **settings}
        return compose(**tiny(**settings), out=str(here / name))

    return build


def test_the_numbers_of_a_trick_have_columns_after_the_texts(run_of):
    folder = train(run_of())
    log = read_log(folder)
    assert list(log)[-4:] == ["noisy-d", "ema", "noisy-d.sigma", "ema.decay"]
    for text, sigma in zip(log["noisy-d"], log["noisy-d.sigma"], strict=True):
        assert text == f"sigma {sigma:.3f}"
    assert log["noisy-d.sigma"][0] > log["noisy-d.sigma"][-1] > 0


def test_a_resumed_run_keeps_its_columns(run_of):
    whole = train(run_of("whole"))
    calls = iter([0, 0, 0, True])
    folder = train(run_of("parts"), stop=lambda: next(calls))
    train(load_run(folder), resume=True)
    logs = [read_log(path) for path in (whole, folder)]
    assert list(logs[0]) == list(logs[1])
    for name in set(logs[0]) - {"seconds"}:
        assert logs[0][name] == logs[1][name] or all(map(math.isnan, logs[0][name]))


def test_a_log_without_these_columns_gets_them_on_resume(run_of):
    calls = iter([0, 0, 0, True])
    folder = train(run_of(), stop=lambda: next(calls))
    rows = read_rows(folder)
    names = [name for name in rows[0] if "." not in name]
    write_rows(folder, names, rows)  # as gankit wrote it before
    train(load_run(folder), resume=True)
    log = read_log(folder)
    assert [math.isnan(sigma) for sigma in log["noisy-d.sigma"]] == [True, True, False]
    assert log["step"] == [2, 4, 6]


class Many:
    """Reports two new numbers at each logged step."""

    def step_done(self, step, control):
        control.report({f"a{step}": step, f"b{step}": step})


def test_the_log_has_room_for_a_limited_number_of_names(run_of, monkeypatch, caplog):
    monkeypatch.setattr(run_writer, "MAX_REPORTED", 3)
    folder = train(run_of(tricks="none"), observers=[Many()])
    log = read_log(folder)
    assert [name for name in log if "." in name] == ["Many.a2", "Many.b2", "Many.a4"]
    assert str(log["Many.a4"]) == "[nan, 4.0, nan]"
    (line,) = caplog.messages
    assert "Many.b4" in line


def test_reported_numbers_are_curves_in_tensorboard(run_of):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = train(run_of(tensorboard=True, metrics=["swd"]), observers=[Many()])
    events = accumulator.EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert {"noisy-d/sigma", "ema/decay", "Many/a2", "metrics/swd"} <= set(events.Tags()["scalars"])
    sigmas = [event.value for event in events.Scalars("noisy-d/sigma")]
    assert sigmas == pytest.approx(read_log(folder)["noisy-d.sigma"])


@pytest.mark.parametrize(
    ("activity", "text", "numbers"),
    [
        (None, None, {}),
        ("on", "on", {}),
        ({"p": 0.5, "n": 3}, "p 0.5, n 3", {"p": 0.5, "n": 3}),
        ({"p": torch.ones(1, requires_grad=True) / 2}, "p 0.5", {"p": 0.5}),
        ({"p": torch.tensor(0.25), "text": "a quarter"}, "a quarter", {"p": 0.25}),
        ({"text": "only text"}, "only text", {}),
        ({}, None, {}),
    ],
)
def test_an_activity_is_a_text_for_the_console_and_numbers_for_the_log(activity, text, numbers):
    assert require_activity(activity) is activity
    assert text_of(activity) == text
    assert numbers_of(activity) == numbers


@pytest.mark.parametrize("activity", [3, ["p"], {"p": "much"}, {"text": 3}, {"a.b": 1}, {"": 1}])
def test_another_activity_is_refused(activity):
    with pytest.raises(ValueError, match="activity returns"):
        require_activity(activity)


def test_a_column_that_is_not_all_numbers_is_text(tmp_path):
    names = ["step", "a.b", "c.d"]
    write_rows(tmp_path, names, [{"step": 1, "a.b": 1, "c.d": "x"}, {"step": 2, "a.b": ""}])
    log = read_log(tmp_path)
    assert str(log["a.b"]) == "[1.0, nan]"
    assert log["c.d"] == ["x", ""]
