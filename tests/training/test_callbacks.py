"""The functions `progress` and `stop` of a program, and what observers of a measure can do."""

import logging

import pytest
import torch

import gankit
from gankit import GankitError, RunFailed, compose, load_run, read_log, train
from gankit.training.checkpoints import checkpoint


@pytest.fixture
def run_of(tiny, here):
    """`run_of(steps, log_every=1)`: a tiny run in the folder `run`."""

    def build(steps=4, **settings):
        settings = {"tricks": ["none"], "log_every": 1, "save_every": 100, **settings}
        return compose(**tiny(length=f"{steps} steps", **settings), out="run")

    return build


@pytest.mark.parametrize(
    ("functions", "named"),
    [
        ({"stop": 5}, "stop is 5"),
        ({"stop": lambda run: True}, "stop.*'run'"),
        ({"progress": "bar"}, "progress is 'bar'"),
        ({"progress": lambda done: None}, r"progress\(done, total\): (?!.*stage)"),
        ({"progress": lambda done, total, phase: None}, "progress.*'phase'.* stage"),
    ],
)
def test_a_function_of_another_form_is_refused_before_the_run_begins(
    run_of, here, functions, named
):
    with pytest.raises(GankitError, match=named):
        train(run_of(), **functions)
    assert not (here / "run").exists()


@pytest.mark.parametrize("progress", [print, lambda *a: None, lambda done, total, stage: None])
def test_functions_that_can_be_called_are_taken(run_of, progress):
    train(run_of(1), progress=progress)


def test_an_error_in_progress_is_warned_of_once_and_costs_no_training(run_of, caplog):
    def progress(done, total, stage):
        if stage == "training":
            raise SystemExit("full")

    train(run_of(3), progress=progress)
    warnings = [record.getMessage() for record in caplog.records if "progress" in record.msg]
    assert len(warnings) == 1
    assert "SystemExit in test_callbacks.py, line" in warnings[0]
    assert read_log("run")["step"] == [1, 2, 3]


def test_an_error_in_stop_saves_a_checkpoint_before_it_ends_the_run(run_of, here):
    log = read_log

    def stop():
        return log("run")["d_loss"][-1] > 0 and log("run")["swd"]

    with pytest.raises(RunFailed, match=r"stop.*KeyError in test_callbacks.py.*'swd'") as error:
        train(run_of(), stop=stop)
    assert error.value.step == 1
    assert checkpoint.list_checkpoints(error.value.folder / "checkpoints")[0].name == "step-000001"
    train("run", resume=True)
    assert read_log("run")["step"] == [1, 2, 3, 4]


def test_an_error_in_stop_while_pictures_are_prepared_begins_no_run(tiny, here):
    settings = tiny(dataset="petals:count=70")  # not in the cache
    with pytest.raises(GankitError, match="stop.*ZeroDivisionError"):
        train(compose(**settings, out="run"), stop=lambda: 1 / 0)
    assert not (here / "run").exists()


def test_a_text_from_stop_is_the_reason(run_of):
    ending = Ending()
    gankit.prepare(run_of())
    train(run_of(), stop=lambda: "d_loss is low", observers=[ending], quiet=True)
    assert (ending.outcome["state"], ending.outcome["reason"]) == ("stopped", "d_loss is low")


def test_an_answer_of_several_values_is_named(run_of):
    gankit.prepare(run_of())
    with pytest.raises(RunFailed, match=r"stop\(\).*<Tensor of shape \(2,\)>") as error:
        train(run_of(), stop=lambda: torch.ones(2))
    assert "stop.py" not in str(error.value)


def interrupts(done, total, stage):
    if done == 2 and stage == "training":
        raise KeyboardInterrupt


class Interrupts:
    def step_done(self, step):
        if step == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "functions",
    [{"progress": interrupts}, {"observers": [Interrupts()]}],
    ids=["progress", "observer"],
)
def test_a_keyboard_interrupt_of_your_code_saves_as_ctrl_c_does(run_of, functions):
    with pytest.raises(gankit.RunStopped) as error:
        train(run_of(), **functions)
    assert (error.value.step, error.value.exit_code) == (2, 130)
    assert checkpoint.list_checkpoints(error.value.folder / "checkpoints")


@pytest.mark.parametrize("answer", [1, 2, "yes", [0]])
def test_any_true_answer_of_stop_ends_the_run_without_an_error(run_of, answer):
    gankit.prepare(run_of())
    assert train(run_of(), stop=lambda: answer).name == "run"
    assert read_log("run")["step"] == [1]


def test_the_row_of_a_step_is_in_the_log_when_stop_is_called(run_of):
    run = run_of(5)
    gankit.prepare(run)
    steps = []

    def stop():
        steps.append(list(read_log(run)["step"]))
        return len(steps) == 3

    train(run, stop=stop)
    assert steps == [[1], [1, 2], [1, 2, 3]]


def test_a_log_without_rows_has_empty_columns(run_of):
    run = run_of(3, log_every=2)
    gankit.prepare(run)
    columns = []

    def stop():
        columns.append(read_log(run)["d_loss"])

    train(run, stop=stop)
    assert [len(column) for column in columns] == [0, 1]
    with pytest.raises(GankitError, match="no folder"):
        read_log(compose())


class Ending:
    def run_finished(self, outcome):
        self.outcome = outcome


class Early:
    """Ends the run when its first measure gets worse."""

    def __init__(self):
        self.values = []

    def measured(self, run, step, measurements, control):
        assert isinstance(measurements[0], gankit.Measurement)
        assert step == measurements[0].step
        self.values.append((step, measurements[0].value))
        control.report({"value": measurements[0].value})
        if len(self.values) == 2:
            control.stop()


def test_an_observer_gets_measures_and_can_end_the_run(run_of, capsys):
    early = Early()
    run = run_of(9, metrics=["swd"], measure_every=2)
    train(run, observers=[early])
    assert [step for step, _ in early.values] == [2, 4]
    assert "Early" in capsys.readouterr().out
    assert read_log("run")["step"] == [1, 2, 3, 4]
    assert read_log("run")["Early.value"][2] == pytest.approx(early.values[0][1])


def test_an_observer_of_measures_is_warned_of_in_a_run_without_metrics(run_of, caplog):
    train(run_of(2), observers=[Early()])
    (warning,) = [r.getMessage() for r in caplog.records if "measured" in r.getMessage()]
    for fact in ("'Early'", "metrics"):
        assert fact in warning


class Broken:
    def measured(self, measurements):
        raise ValueError("no")

    def step_done(self, step):
        pass


def test_an_observer_that_fails_in_measured_is_ignored(run_of, caplog):
    early = Early()
    train(run_of(6, metrics=["swd"], measure_every=2), observers=[Broken(), early])
    assert len([r for r in caplog.records if "measured" in r.getMessage()]) == 1
    assert [r.getMessage() for r in caplog.records][-1].startswith(
        "observer 'Broken'"
    )  # a reminder
    assert len(early.values) == 2


def test_a_quiet_run_prints_only_warnings(run_of, capsys, caplog):
    caplog.set_level(logging.WARNING)
    train(run_of(3, metrics=["swd"]), quiet=True)
    out, _ = capsys.readouterr()
    assert out == ""
    assert read_log("run")["step"] == [1, 2, 3]
    train(load_run("run", steps=4), resume=True)
    assert "finished" in capsys.readouterr().out
