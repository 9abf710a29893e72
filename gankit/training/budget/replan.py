"""A run's length as a time: plan the number of steps anew while the run is still early."""

from __future__ import annotations

import bisect
import contextlib
import dataclasses
import logging
import math
import time
from collections.abc import Iterator

from gankit.core.clock import format_duration
from gankit.core.errors import GankitError
from gankit.core.run.settings import Run
from gankit.training.assemble import default_intervals
from gankit.training.budget.phase_costs import PhaseCosts
from gankit.training.run_folder.folder import RunFolder
from gankit.training.run_folder.run_file import update_run

log = logging.getLogger("gankit")
PLAN_AT = (0.1, 0.2, 0.3)  # shares of the time or of the steps after which a run is planned anew
WINDOW = 0.05  # share of the time, at the end of which steps are measured for a new plan
# A share of the steps, after which it is too late: `lr-decay` begins in the middle of a run.
LAST_PLAN = 0.5
MIN_CHANGE = 0.05  # of the number of steps; a smaller change is not worth a new plan
LATE = 1.15  # times the budget: a run that takes longer is announced


class Stopwatch:
    """The seconds that a run's grids, checkpoints and log took, and how often they came."""

    def __init__(self) -> None:
        self.seconds = {"draw": 0.0, "save": 0.0, "log": 0.0}
        self.counts = {"draw": 0, "save": 0, "log": 0}

    @contextlib.contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """While open, count the time as `draw`, `save` or `log`."""
        started = time.perf_counter()
        yield
        self.seconds[what] += time.perf_counter() - started
        self.counts[what] += 1

    def mean(self, what: str) -> float:
        return self.seconds[what] / max(1, self.counts[what])


@dataclasses.dataclass(frozen=True)
class Mark:
    """A moment of a run."""

    time: float
    done: int  # steps
    output_seconds: float  # that grids, checkpoints and the log took until then

    @staticmethod
    def now(done: int, stopwatch: Stopwatch) -> Mark:
        return Mark(time.perf_counter(), done, sum(stopwatch.seconds.values()))

    def step_seconds_since(self, earlier: Mark) -> float:
        """Seconds per step, without output."""
        output = self.output_seconds - earlier.output_seconds
        return (self.time - earlier.time - output) / (self.done - earlier.done)


class Budget:
    """The time that a run may take, counted from when this object is made."""

    def __init__(self, text: str, seconds: float) -> None:
        self.text = text  # as it was given, such as 4m
        self.seconds = seconds
        self.started = time.perf_counter()
        self.costs = PhaseCosts()  # of steps, relative to each other
        self.next_plans = list(PLAN_AT)
        self.is_announced = False
        self.marks: list[Mark] = []  # at logged steps, until the last plan

    def begin(self, stopwatch: Stopwatch) -> None:
        """The first step begins now."""
        self.marks = [Mark.now(0, stopwatch)]

    def keep(self, run: Run, done: int, stopwatch: Stopwatch) -> Run:
        """The run as planned anew after `done` steps, or the same run; warns if it will be late."""
        if done == run.steps:
            return run
        mark = Mark.now(done, stopwatch)
        elapsed = mark.time - self.started
        if not self.next_plans:
            self._announce_if_late(run, mark, stopwatch)
            return run
        share_of_time = self.costs.between(0, done / run.steps) / self.costs.between(0, 1)
        share = max(elapsed / self.seconds, share_of_time)
        if share < self.next_plans[0]:
            self.marks.append(mark)
            return run
        self.next_plans = [later for later in self.next_plans if later > share]
        seconds_per_cost = self._seconds_per_cost(run, self._window_start(mark), mark)
        self.marks.append(mark)
        if done / run.steps >= LAST_PLAN:
            return run
        return self._plan(run, done, self.seconds - elapsed, seconds_per_cost, stopwatch)

    def plan_anew(self, run: Run, done: int, stopwatch: Stopwatch, folder: RunFolder) -> Run:
        """The same as `keep`; a new length is also told, and written into run.json."""
        planned = self.keep(run, done, stopwatch)
        if planned is run:
            return run
        try:
            folder.remember(planned, update_run(planned))
        except GankitError as error:
            log.warning("%s; so the run keeps its %s steps", error, run.steps)
            return run
        log.warning(
            "planned anew at step %s: %s steps instead of %s, to end within --budget %s; %s has "
            "the command that repeats this run",
            done,
            planned.steps,
            run.steps,
            self.text,
            planned.folder / "run.json",
        )
        return planned

    def _window_start(self, now: Mark) -> Mark:
        """The last mark that is at least a window old, or else the first."""
        latest = now.time - WINDOW * self.seconds
        return next((mark for mark in reversed(self.marks) if mark.time <= latest), self.marks[0])

    def _seconds_per_cost(self, run: Run, earlier: Mark, now: Mark) -> float:
        """How long steps take between two moments, compared with `costs`."""
        cost = self.costs.mean(earlier.done / run.steps, now.done / run.steps)
        return now.step_seconds_since(earlier) / cost

    def _plan(
        self, run: Run, done: int, seconds_left: float, seconds_per_cost: float, watch: Stopwatch
    ) -> Run:
        """The run with as many steps as the time that is left allows."""

        def seconds_of(more: int) -> float:
            longer = with_length(run, done + more)
            step_seconds = seconds_per_cost * self.costs.mean(done / longer.steps)
            return more * step_seconds + _seconds_of_output(longer, done, watch)

        least_seconds = seconds_per_cost * min(self.costs.seconds)  # of a step
        most = max(1, math.ceil(seconds_left / max(least_seconds, 1e-6)))
        more = bisect.bisect_right(range(1, most + 1), seconds_left, key=seconds_of)
        planned = with_length(run, done + max(1, more))
        if abs(planned.steps - run.steps) <= MIN_CHANGE * run.steps:
            return run
        earlier_plans = (*run.earlier_plans, f"{done}:{run.steps}")
        return dataclasses.replace(planned, earlier_plans=earlier_plans)

    def _announce_if_late(self, run: Run, now: Mark, stopwatch: Stopwatch) -> None:
        """Say once that the run takes longer than its budget, if it does."""
        last_plan = self.marks[-1]
        if self.is_announced or now.time - last_plan.time < 2 * WINDOW * self.seconds:
            return
        step_seconds = self._seconds_per_cost(run, last_plan, now)
        step_seconds *= self.costs.mean(now.done / run.steps)
        seconds = now.time - self.started + (run.steps - now.done) * step_seconds
        seconds += _seconds_of_output(run, now.done, stopwatch)
        if seconds > LATE * self.seconds:
            self.is_announced = True
            message = (
                "this run will take about %s instead of --budget %s, as its steps have become "
                "slower; it keeps its number of steps (Ctrl-C saves a checkpoint and stops)"
            )
            log.warning(message, format_duration(seconds), self.text)


def with_length(run: Run, steps: int) -> Run:
    """The run with another number of steps, and with the intervals that follow from it."""
    draw_before, save_before = default_intervals(run.steps)
    draw_every, save_every = default_intervals(steps)
    return dataclasses.replace(
        run,
        steps=steps,
        length=f"{steps} steps",
        draw_every=draw_every if run.draw_every == draw_before else run.draw_every,
        save_every=save_every if run.save_every == save_before else run.save_every,
    )


def _seconds_of_output(run: Run, done: int, stopwatch: Stopwatch) -> float:
    """The time that grids, checkpoints and the log, with metrics, will take after `done` steps."""
    num_grids = run.steps // run.draw_every - done // run.draw_every
    num_checkpoints = run.steps // run.save_every - done // run.save_every
    log_seconds = stopwatch.seconds["log"] / done * (run.steps - done)
    return (
        num_grids * stopwatch.mean("draw") + num_checkpoints * stopwatch.mean("save") + log_seconds
    )
