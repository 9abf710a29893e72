"""Signals as wishes: Ctrl-C ends a run between two steps, with a checkpoint."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from gankit.core.errors import RunFailed
from gankit.core.stop import Stop


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """While open, Ctrl-C and SIGTERM ask the Stop that this yields.

    A second Ctrl-C is not patient: it ends the run as it stands, at its last checkpoint. After a
    failure signals stay wishes, so that none ends the process before it has said why.
    """
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.signal:
            raise KeyboardInterrupt
        stop.request(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except RunFailed:
        before.clear()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
