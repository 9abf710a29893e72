"""Signals ask a run to stop, and do not end the process before it prints its error."""

import os
import signal

import pytest

from gankit.cli.stop import stop_signals
from gankit.core.errors import RunFailed


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


def test_a_signal_from_torchrun_does_not_hide_an_error():
    printed = []
    try:
        with stop_signals():
            raise RunFailed("another process has ended")
    except RunFailed as error:
        os.kill(os.getpid(), signal.SIGTERM)  # by default it would end Python here
        printed.append(str(error))
    assert printed == ["another process has ended"]
