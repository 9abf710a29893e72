"""Ctrl-C and SIGTERM ask a run to stop: it ends between two steps, with a checkpoint."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from gankit.core.errors import RunFailed
from gankit.core.stop import Stop


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Give a Stop that Ctrl-C and SIGTERM set, instead of ending the process.

    A second signal raises KeyboardInterrupt: the run ends at once, at its last checkpoint. After a
    RunFailed the handlers stay, so that no signal ends the process before it prints the error.
    """
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.signal:
            raise KeyboardInterrupt
        stop.request(number)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except RunFailed:
        previous.clear()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
