"""Signals ask a run to stop: it ends between two steps, with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from gankit.core.errors import RunFailed
from gankit.core.stop import BREAK, HANGUP, Stop, raise_interrupt, request_on_signals


@contextlib.contextmanager
def safe_import() -> Iterator[None]:
    """While open, Ctrl-C during the import of torch ends the process with one line."""
    is_main_thread = threading.current_thread() is threading.main_thread()
    if not is_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored, as under nohup, or handled by a program that calls gankit
        return
    signal.signal(signal.SIGINT, raise_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Give a Stop that Ctrl-C, SIGTERM, SIGHUP and Ctrl-Break set, instead of ending the process.

    SIGHUP comes when the terminal's window is closed; under nohup it stays ignored.

    A second signal raises Interrupted: the run ends at once, at its last checkpoint. After a
    RunFailed the handlers stay, so that no signal ends the process before it prints the error.
    """
    stop = Stop()
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    if HANGUP > 0 and signal.getsignal(HANGUP) is signal.SIG_DFL:
        numbers.append(HANGUP)
    if BREAK > 0:
        numbers.append(BREAK)
    previous = request_on_signals(stop, *numbers)
    try:
        yield stop
    except RunFailed:
        previous.clear()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
