"""Stop: a request to end a run, passed from signal handlers to the training loop."""

from __future__ import annotations

from collections.abc import Callable

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
        """Wrap a progress callback: it raises KeyboardInterrupt once the run should end.

        For preparation before a run's first step, when there is nothing to save yet.
        """

        def wrapped(done: int, total: int) -> None:
            progress(done, total)
            if self():
                raise KeyboardInterrupt

        return wrapped
