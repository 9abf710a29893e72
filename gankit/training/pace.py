"""Notice when the steps of a run become several times slower, and say what to do."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

from gankit.core.run.settings import Run, command_about

log = logging.getLogger("gankit")
MUCH_SLOWER = 3.0  # times as long a step as in the fastest interval
MIN_INTERVALS = 3  # in a row
MIN_SECONDS = 10.0  # that they took together


class Pace:
    """Compares the intervals between logged steps of one run on a CPU; warns once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.is_watching = run.device == "cpu" and run.threads > 1
        self.seconds = 0.0  # of the steps since the last check
        self.last_step: int | None = None
        self.phase = 0
        self.fastest = float("inf")  # seconds per step
        self.slow: list[float] = []  # seconds of each slow interval since the last one that was not

    @contextlib.contextmanager
    def timing(self) -> Iterator[None]:
        """While open, count the time as that of steps."""
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started

    def check(self, step: int, phase: int = 0) -> None:
        """End an interval at this step. Steps are compared with those of the same phase."""
        seconds = self.seconds
        self.seconds = 0.0
        num_steps = step - (self.last_step or 0)
        is_first = self.last_step is None  # with one-off work, and after a resume of unknown length
        self.last_step = step
        if phase != self.phase:
            self.phase = phase
            self.fastest = float("inf")
            self.slow = []
        elif not is_first and seconds > 0:  # a clock may stand still or go back
            self._compare(seconds, seconds / num_steps)

    def _compare(self, seconds: float, step_seconds: float) -> None:
        self.fastest = min(self.fastest, step_seconds)
        if step_seconds < MUCH_SLOWER * self.fastest:
            self.slow = []
            return
        self.slow.append(seconds)
        is_lasting = len(self.slow) >= MIN_INTERVALS and sum(self.slow) >= MIN_SECONDS
        if is_lasting and self.is_watching:
            self.is_watching = False
            self._warn(step_seconds / self.fastest)

    def _warn(self, factor: float) -> None:
        resume = command_about(self.run, "run", "--resume", str(self.run.folder), "--threads", "1")
        log.warning(
            "steps take %.0f times as long as before; if other programs keep this computer busy, "
            "stop this run (Ctrl-C) and go on with fewer threads: %s",
            factor,
            resume,
        )
