"""Stop: a request to end a run, passed from signal handlers to the training loop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from gankit.core.errors import GankitError, Interrupted, describe_error, quote_value
from gankit.core.progress import Progress

HANGUP = getattr(signal, "SIGHUP", -1)  # Windows has no such signal
BREAK = getattr(signal, "SIGBREAK", -1)  # Ctrl-Break, which only Windows has


class Stop:
    """Whether a run should end: `stop()` returns 0 to continue, else a signal's number.

    Ctrl-C, SIGTERM or a closed pipe call `request`. An observer, or your own code, calls `end` with
    a reason: such an end is not an error. The training loop checks between two steps, where it can
    save a checkpoint; preparation before the first step ends at once. `poll` is called on each
    check, too: it returns one of `signal.Signals`, or whether the run should end.
    """

    def __init__(self, poll: Callable[[], object] = lambda: 0) -> None:
        self.poll = poll
        self.signal = 0
        self.reason = ""  # why the run should end, if somebody decided so
        self.error: BaseException | None = None  # of `poll`; `reason` describes it
        self.is_polled = False  # whether `poll` decided so, and no observer

    @staticmethod
    def of(stop: Stop | Callable[[], object] | None) -> Stop:
        """The Stop of a new run: the same one, or one that polls a function."""
        if not isinstance(stop, Stop):
            stop = Stop(poll=stop) if stop else Stop()
        stop.reason = ""  # of an earlier run
        stop.error = None
        stop.is_polled = False
        return stop

    def request(self, signal: int) -> None:
        """Request the end of the run; only the first signal counts."""
        self.signal = self.signal or signal

    def interrupt(self, error: KeyboardInterrupt) -> None:
        """Take what a program's code raised for Ctrl-C; a second one ends the run at once."""
        if isinstance(error, Interrupted) or self.signal:
            raise error
        self.request(signal.SIGINT)

    def end(self, reason: str) -> None:
        """End the run on purpose; only the first reason counts."""
        self.reason = self.reason or reason

    def __call__(self) -> int:
        if self.signal or self.error:
            return self.signal
        try:
            answer = self.poll()
            if isinstance(answer, signal.Signals):
                return answer.value
            self.is_polled = _is_true(answer)
            if isinstance(answer, str):  # the reason; empty: none
                self.end(" ".join(answer.split()))
            elif self.is_polled:
                self.end("stop() returned True")
        except KeyboardInterrupt as error:  # always taken for Ctrl-C
            self.interrupt(error)
            return self.signal
        except BaseException as error:  # a program's function may raise anything
            self.error = error
            self.end(f"stop() failed: {describe_error(error, with_place=True)}")
        return 0

    def raise_on_stop(self, progress: Progress) -> Progress:
        """Wrap a progress callback: it raises Interrupted once the run should end.

        For preparation before a run's first step, when there is nothing to save yet.
        """

        def wrapped(done: int, total: int) -> None:
            progress(done, total)
            number = self()
            if self.error:
                raise GankitError(self.reason) from self.error
            if number or self.reason:
                message = "interrupted before the first step: there was nothing to save"
                raise Interrupted(message, 128 + (number or signal.SIGINT))

        return wrapped


def _is_true(answer: object) -> bool:
    """Whether an answer of Python, NumPy or torch is true; ValueError if it has several values."""
    try:
        return bool(answer)
    except (RuntimeError, ValueError) as error:  # of a tensor or an array
        expected = "one value, true or false, or a text with the reason"
        raise GankitError(f"it returned {quote_value(answer)}; expected {expected}") from error


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


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, as Python does at Ctrl-C, but not during the import of torch.

    That is C++ code, in which a second Ctrl-C would abort the process. Nothing has begun yet, so
    the process ends at once.
    """
    spec = getattr(sys.modules.get("torch"), "__spec__", None)
    if getattr(spec, "_initializing", False):
        os.write(2, b"gankit: interrupted\n")
        os._exit(128 + number)
    signal.default_int_handler(number, frame)


@contextlib.contextmanager
def stop_on_interrupt(stop: Stop) -> Iterator[bool]:
    """While open, an interrupt requests `stop`: Ctrl-C, or the stop button of a notebook.

    Gives True if it does so: in the main thread, unless something else handles interrupts already,
    such as the command line. Python gives signals only to the main thread.
    """
    is_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    if not is_main_thread or handler not in (signal.default_int_handler, raise_interrupt):
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
