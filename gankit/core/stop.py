"""Stop: one wish to end, from whoever has it to whoever can fulfil it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]  # told (done, total)


class Stop:
    """Whether, and by which signal, a run is asked to end: `stop()` is 0 or the signal's number.

    Ctrl-C, a closed pipe or a program's own reason ask; the loop answers between two steps, where
    all can be saved, and whatever lasts long before the first step ends at once. `poll` is asked
    too, each time, for those who would rather be asked: it returns a signal's number, or 0.
    """

    def __init__(self, poll: Callable[[], int] = lambda: 0) -> None:
        self.poll = poll
        self.signal = 0

    def ask(self, signal: int) -> None:
        """Ask for an end; the first signal counts."""
        self.signal = self.signal or signal

    def __call__(self) -> int:
        return self.signal or self.poll()

    def ends(self, progress: Progress) -> Progress:
        """The progress of something that can be given up; KeyboardInterrupt once an end is asked.

        For what comes before a run's first step, when there is nothing yet to be saved.
        """

        def checked(done: int, total: int) -> None:
            progress(done, total)
            if self():
                raise KeyboardInterrupt

        return checked
