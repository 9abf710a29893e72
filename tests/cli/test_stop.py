"""Signals are wishes while a run lasts, and after an error until it was said."""

import os
import signal

import pytest

from gankit.cli.stop import stop_signals
from gankit.core.errors import RunFailed


@pytest.fixture(autouse=True)
def as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_is_told_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        assert stop() == 0
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop() == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


def test_torchruns_signal_does_not_cut_an_error_short():
    said = []
    try:
        with stop_signals():
            raise RunFailed("another process has ended")
    except RunFailed as error:
        os.kill(os.getpid(), signal.SIGTERM)  # by default it would end Python here
        said.append(str(error))
    assert said == ["another process has ended"]
