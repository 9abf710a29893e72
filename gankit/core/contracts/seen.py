"""Seen: what was seen of a run up to a step, as series of numbers from log.csv."""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gankit.core.run.all_stages import stage_begin

if TYPE_CHECKING:
    from gankit.core.parts.choice import Choice
    from gankit.core.run.settings import Run

PREFIX = "doctor."  # of the columns that a look writes
MIN_GAIN = 0.05  # of the distance to real pictures, between two halves of the last looks
GOOD = 0.08  # a distance to real pictures that is good enough to stand still
SETTLED = (
    0.35  # share of the largest distance to real pictures, from which on standing still is fine
)


@dataclass(frozen=True)
class Series:
    """A number of the log over time, oldest first; rows without it are left out."""

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)

    def last(self, count: int = 1) -> float:
        """The median of the last `count` values; NaN if there is none."""
        return median(self.values[-count:])

    def first(self, count: int = 1) -> float:
        """The median of the first `count` values; NaN if there is none."""
        return median(self.values[:count])

    def since(self, step: float) -> Series:
        """The part after a step."""
        pairs = [(s, v) for s, v in zip(self.steps, self.values, strict=True) if s > step]
        return Series(tuple(s for s, _ in pairs), tuple(v for _, v in pairs))

    @property
    def rising(self) -> float:
        """The share of pairs of values of which the later one is higher; 0.5 without a trend."""
        values = self.values
        pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
        if not pairs:
            return 0.5
        return sum((b > a) + (b == a) / 2 for a, b in pairs) / len(pairs)

    @property
    def trend(self) -> float:
        """The z value of Mann and Kendall's test: below -1.6, the values fall."""
        count = len(self.values)
        if count < 4:
            return 0.0
        pairs = count * (count - 1) / 2
        spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
        return (2 * self.rising - 1) * pairs / spread


def median(values: Sequence[float]) -> float:
    """The median; NaN if there are no values or one of them is NaN."""
    if not values or any(math.isnan(value) for value in values):
        return math.nan
    return statistics.median(values)


class History:
    """The columns of a run's log, as they grow: numbers, and the texts of tricks."""

    def __init__(self) -> None:
        self.numbers: dict[str, tuple[list[int], list[float]]] = {}
        self.texts: dict[str, list[tuple[int, str]]] = {}
        self.looks: list[int] = []  # steps of the rows that have the numbers of a look
        self.last_row = 0  # step of the newest row
        self.end = math.inf  # the run's last step, if there are looks after it: see `last_step`

    @staticmethod
    def of(log: Mapping[str, Sequence[Any]], until: float = math.inf) -> History:
        """The history in the columns of a log, such as `read_log` returns, up to a step."""
        history = History()
        for index, step in enumerate(log.get("step", ())):
            if step <= until:
                history.add({name: column[index] for name, column in log.items()})
        return history

    @property
    def last_step(self) -> int:
        """The step of the last look; looks at further steps of old networks count as the end."""
        return int(min(max(self.looks, default=0), self.end))

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of the log, or what was learnt about a step later; `row["step"]` is its step.

        Empty cells, None and NaN are left out.
        """
        step = int(row["step"])
        self.last_row = max(self.last_row, step)
        for name, value in row.items():
            if isinstance(value, str):
                if value:
                    self.texts.setdefault(name, []).append((step, value))
            elif isinstance(value, int | float) and not math.isnan(value):
                steps, values = self.numbers.setdefault(name, ([], []))
                steps.append(step)
                values.append(float(value))
        if any(name.startswith(PREFIX) and is_number(value) for name, value in row.items()):
            self.looks.append(step)


def is_number(value: object) -> bool:
    """Whether a cell of a row holds a number, not nothing."""
    return isinstance(value, int | float) and not math.isnan(value)


class Seen:
    """A run's settings, and what its log says up to a step. Rules read it."""

    def __init__(
        self,
        run: Run,
        history: History,
        step: int,
        *,
        others: Collection[str] = (),
        failure: str = "",
    ) -> None:
        self.run = run
        self.history = history
        self.step = step
        self.steps = max(run.steps, 1)
        self.others = frozenset(others)  # names of rules whose findings are open now
        self.failure = failure  # why the run failed; empty if it did not
        self._series: dict[str, Series] = {}

    @property
    def share(self) -> float:
        """The share of the run that is done, from 0 to 1."""
        return min(1.0, self.step / self.steps)

    def series(self, name: str) -> Series:
        """A column of the log, such as `d_loss` or `doctor.far`, as a series up to this step."""
        if name not in self._series:
            steps, values = self.history.numbers.get(name, ([], []))
            end = bisect.bisect_right(steps, self.step)
            self._series[name] = Series(tuple(steps[:end]), tuple(values[:end]))
        return self._series[name]

    def look(self, name: str) -> Series:
        """A number of the looks: `seen.look("far")` is the column `doctor.far`."""
        return self.series(PREFIX + name)

    def look_in_stage(self, name: str) -> Series:
        """A number of the looks since settings were changed; all of it if they never were."""
        return self.look(name).since(stage_begin(self.run))

    def last(self, name: str, count: int = 1) -> float:
        """The median of the last `count` values of a number of the looks; NaN if it has none."""
        return self.look(name).last(count)

    def has(self, names: Collection[str]) -> bool:
        """Whether each of these columns has a value."""
        return all(len(self.series(name)) > 0 for name in names)

    def texts(self, name: str) -> list[str]:
        """What a trick said it did, in all rows of the log in which it said something."""
        return [text for step, text in self.history.texts.get(name, []) if step <= self.step]

    def trick(self, name: str) -> Choice | None:
        """The run's trick of that name, with its options; None if it has none."""
        return next((choice for choice in self.run.tricks if choice.name == name), None)

    @property
    def looks(self) -> int:
        """The number of looks so far."""
        return bisect.bisect_right(self.history.looks, self.step)

    @cached_property
    def quality(self) -> Series:
        """How far the pictures are from real ones, in shapes and in details: 1 is nothing alike."""
        far = self.look("far")
        detail = self.look("texture")
        texture = dict(zip(detail.steps, detail.values, strict=True))
        values = [
            (value + texture.get(step, value)) / 2
            for step, value in zip(far.steps, far.values, strict=True)
        ]
        return Series(far.steps, tuple(values))

    def left(self, name: str) -> float:
        """Which share of its largest value a number of the looks still has, or `quality`."""
        series = self.quality if name == "quality" else self.look(name)
        return series.last(3) / max(*series.values, 1e-12) if series.values else math.nan

    def is_bad(self, share: float, quality: float = 0.3) -> bool:
        """Whether pictures are bad: this share of their largest distance to real ones is left.

        And the distance is above `quality`, for a run whose pictures were good at the first look.
        """
        values = self.quality.values
        return len(values) > 0 and self.quality.last(3) > max(quality, share * max(values))

    @cached_property
    def gain(self) -> float:
        """By which share the pictures came closer to real ones in the last looks; NaN if unknown.

        It compares the medians of the last three looks and of those before, back to the middle of
        the run so far; of four or five looks, the last two and the first two.
        """
        values = self.quality.values
        if len(values) < 4:
            return math.nan
        recent = values[-3:]
        before = values[-max(6, len(values) // 2) : -3]
        if len(values) < 6:
            recent = values[-2:]
            before = values[:2]
        earlier = median(before)
        return (earlier - median(recent)) / max(earlier, 1e-6)

    @property
    def progress(self) -> bool:
        """Whether the pictures get better, or are good already; also if that is not known."""
        if math.isnan(self.gain):
            return True
        return self.gain > MIN_GAIN or self.is_good

    @property
    def is_good(self) -> bool:
        """Whether the pictures are so good that they may stand still."""
        return not self.is_bad(SETTLED, GOOD)
