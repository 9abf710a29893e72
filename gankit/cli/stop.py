"""Signals as wishes: Ctrl-C ends a run between two steps, with a checkpoint."""

import contextlib
import signal

from gankit.core.errors import RunFailed


@contextlib.contextmanager
def stop_signals():
    """Yields a function that says which of Ctrl-C and SIGTERM was asked for, 0 if none.

    A second Ctrl-C is not patient: it ends the run as it stands, at its last checkpoint. After a
    failure signals stay wishes, so that none ends the process before it has said why.
    """
    asked = 0

    def ask(number, frame):
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = number

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    except RunFailed:
        before.clear()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
