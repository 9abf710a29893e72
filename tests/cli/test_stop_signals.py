"""Signals ask a run to stop, and do not end the process before it prints its error."""

import os
import signal

import pytest

from gankit.cli.stop_signals import stop_signals
from gankit.core.errors import Interrupted, RunFailed
from gankit.core.progress import no_progress
from gankit.core.stop import Stop


@pytest.fixture(autouse=True)
def restore_handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_sets_stop_and_the_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        assert stop() == 0
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop() == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_closed_window_stops_a_run_and_does_not_hurry_it():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with stop_signals() as stop:
            for _ in range(2):
                signal.raise_signal(signal.SIGHUP)
            assert stop() == signal.SIGHUP
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        with stop_signals() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop() == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with stop_signals() as stop:  # as Jupyter stops a command
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGHUP)
            assert stop() == signal.SIGINT
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_from_torchrun_does_not_hide_an_error():
    printed = []
    try:
        with stop_signals():
            raise RunFailed("another process has ended")
    except RunFailed as error:
        os.kill(os.getpid(), signal.SIGTERM)  # by default it would end Python here
        printed.append(str(error))
    assert printed == ["another process has ended"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, 1])
def test_a_signal_before_the_first_step_gives_the_exit_code_of_that_signal(
    number, gankit_run, monkeypatch
):
    stop = Stop()
    stop.request(number)
    with pytest.raises(Interrupted) as caught:
        stop.raise_on_stop(no_progress)(1, 2)
    monkeypatch.setattr("gankit.training.train.prepare_again", _raise(caught.value))
    assert gankit_run().code == 128 + number


def _raise(error):
    def function(*args):
        raise error

    return function


def test_ctrl_break_of_windows_stops_a_run_like_ctrl_c(monkeypatch):
    before = signal.getsignal(signal.SIGUSR1)
    monkeypatch.setattr("gankit.cli.stop_signals.BREAK", signal.SIGUSR1)
    with stop_signals() as stop:
        signal.raise_signal(signal.SIGUSR1)
        assert stop() == signal.SIGUSR1
    assert signal.getsignal(signal.SIGUSR1) == before
