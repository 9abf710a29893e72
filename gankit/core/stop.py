"""Stop: a request to end a run, passed from signal handlers to the training loop."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from gankit.core.errors import Interrupted

HANGUP = getattr(signal, "SIGHUP", -1)  # Windows has no such signal
Progress = Callable[[int, int], None]  # called with (done, total)


def no_progress(done: int, total: int) -> None:
    """A Progress that shows nothing."""


class Stop:
    """Whether a run should end: `stop()` returns 0 to continue, else a signal's number.

    Ctrl-C, SIGTERM, a closed pipe or your own code call `request`. The training loop checks between
    two steps, where it can save a checkpoint; preparation before the first step ends at once.
    `poll` is called on each check, too: it returns 0 or a signal's number.
    """

    def __init__(self, poll: Callable[[], int] = lambda: 0) -> None:
        self.poll = poll
        self.signal = 0

    def request(self, signal: int) -> None:
        """Request the end of the run; only the first signal counts."""
        self.signal = self.signal or signal

    def __call__(self) -> int:
        return self.signal or self.poll()

    def raise_on_stop(self, progress: Progress) -> Progress:
        """Wrap a progress callback: it raises Interrupted once the run should end.

        For preparation before a run's first step, when there is nothing to save yet.
        """

        def wrapped(done: int, total: int) -> None:
            progress(done, total)
            signal = self()
            if signal:
                message = "interrupted before the first step: there was nothing to save"
                raise Interrupted(message, 128 + signal)

        return wrapped


def request_on_signals(stop: Stop, *numbers: int) -> dict[int, Any]:
    """Let these signals request `stop`; returns the handlers that they had before.

    A second signal raises Interrupted: the run ends at once, at its last checkpoint. A SIGHUP does
    not: Jupyter sends one soon after it has sent Ctrl-C to `!gankit run`.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.signal and number != HANGUP:
            where = "at its last checkpoint, if it had one"
            raise Interrupted(f"interrupted twice: the run ended at once, {where}")
        stop.request(number)

    return {number: signal.signal(number, handle) for number in numbers}


@contextlib.contextmanager
def stop_on_interrupt(stop: Stop) -> Iterator[bool]:
    """While open, an interrupt requests `stop`: Ctrl-C, or the stop button of a notebook.

    Gives True if it does so: in the main thread, unless something else handles interrupts already,
    such as the command line. Python gives signals only to the main thread.
    """
    is_main_thread = threading.current_thread() is threading.main_thread()
    if not is_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield False
        return
    previous = request_on_signals(stop, signal.SIGINT)
    try:
        yield True
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if stop.signal == signal.SIGINT:  # in the last moments, after which nothing would stop
        raise Interrupted("interrupted when everything was done and saved")
