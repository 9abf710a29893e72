"""The best measurement of a run so far: which checkpoint --keep-best keeps, when --patience ends.

A measured number has an error, its interval, so two questions have two answers. The checkpoint that
is kept has the best number: no other is more likely to be the best. But --patience counts a
measurement as better only if it is so by more than the error of the difference, and compares it
with the last one that was. So noise neither ends a run nor keeps it alive, and a gain that is small
from one measurement to the next still counts once it adds up.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gankit.core.run.settings import Run
from gankit.training.checkpoints.named_checkpoint import checkpoint_path


@dataclass(frozen=True)
class Score:
    """What the metric of --keep-best said of the pictures at one step."""

    metric: str  # with its options
    step: int
    value: float
    low: float  # 95 % interval
    high: float
    better: str  # "lower" or "higher"
    is_hollow: bool = False  # whether the pictures are nothing like real ones: see Measurement

    def __str__(self) -> str:
        """`kid 0.31 (0.29 to 0.33) at step 1,200`."""
        value, low, high = map(_format_number, (self.value, self.low, self.high))
        return f"{self.metric} {value} ({low} to {high}) at step {self.step:,}"

    def is_above(self, other: Score) -> bool:
        """Whether it is the better number of two, by however little."""
        if self.is_hollow != other.is_hollow:
            return other.is_hollow
        return self._gain_over(other) > 0

    def is_better_than(self, other: Score) -> bool:
        """Whether it is better by more than the error of the difference.

        That is an end of the 95 % interval of the difference (Zou & Donner 2008): the two errors
        that can have made the difference too large, added as independent ones are. Both
        measurements share z and real pictures, so the true error is smaller.
        """
        if self.is_hollow != other.is_hollow:
            return other.is_hollow
        if self.better == "higher":
            errors = (self.value - self.low, other.high - other.value)
        else:
            errors = (self.high - self.value, other.value - other.low)
        return self._gain_over(other) > math.hypot(*errors)

    def _gain_over(self, other: Score) -> float:
        difference = self.value - other.value
        return difference if self.better == "higher" else -difference


@dataclass(frozen=True)
class Progress:
    """How far a run has come; a checkpoint holds it, so that a resumed run goes on with it."""

    best: Score | None = None  # the best number
    gain: Score | None = None  # the last that was better than the gain before it, beyond its error
    since: int = 0  # measurements after `gain`

    def add(self, score: Score) -> Progress:
        """The progress after another measurement."""
        best = score if self.best is None or score.is_above(self.best) else self.best
        if self.gain is None or score.is_better_than(self.gain):
            return Progress(best, gain=score)
        return Progress(best, self.gain, self.since + 1)


class BestSoFar:
    """Judges the measurements of a run with --keep-best. Under torchrun, only rank 0 measures."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.saved = self.progress  # when the last best checkpoint was saved
        self.may_end = True  # not while a stage is repeated that is known to be followed by another
        self.ends_because = ""  # the reason, once --patience ends the run

    @property
    def score(self) -> Score | None:
        """The best so far; None if there is none."""
        return self.progress.best

    @property
    def is_new(self) -> bool:
        """Whether the best has no checkpoint yet."""
        return self.progress.best is not self.saved.best

    def add(self, run: Run, step: int, measurements: Iterable[Any]) -> None:
        """Judge the metric of --keep-best among measurements (`gankit.Measurement`) of a step."""
        measured = next((m for m in measurements if m.metric == run.keep_best), None)
        if measured is None:
            return
        best = self.progress.best
        if best and (best.metric != run.keep_best or not _has_checkpoint(run, best)):
            self.progress = Progress()
        self.saved = self.progress
        self.progress = self.progress.add(_read_measurement(measured, step))
        if self.may_end and run.patience and self.progress.since >= run.patience:
            self.ends_because = _explain_end(self.progress)

    def describe(self, run: Run) -> str:
        """What a line about a measurement adds: the best, and how patient the run still is."""
        best = self.progress.best
        since = self.progress.since
        if not run.keep_best or best is None:
            return ""
        text = "the best so far" if self.is_new else f"best: {best}"
        before = self.saved.best
        if best.is_hollow:
            text += ", of pictures that are nothing like real ones"
        elif self.is_new and before and before.is_hollow:
            text += ": the first of pictures that are anything like real ones"
        if run.patience and since:
            times = "measurement" if since == 1 else "measurements"
            text += f"; no gain beyond the error in {since} {times} (patience {run.patience})"
        return text

    def confirm(self, *, is_saved: bool) -> None:
        """A checkpoint was saved or not; if not, the best before stays the best."""
        if not is_saved:
            self.progress = dataclasses.replace(self.progress, best=self.saved.best)
        self.saved = self.progress

    def begin_stage(self) -> None:
        """Be as patient with new settings as with the first ones, whatever these had reached."""
        self.progress = Progress(best=self.progress.best)
        self.ends_because = ""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds; empty if nothing was judged."""
        return dataclasses.asdict(self.progress) if self.progress != Progress() else {}

    def load_state_dict(self, state: Any) -> None:
        """Go on from a checkpoint's state, which may be anything. ValueError."""
        self.progress = read_progress(state)
        self.saved = self.progress


def _format_number(value: float) -> str:
    """Three significant digits below 1, four above, as `gankit evaluate` prints them."""
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"


def _has_checkpoint(run: Run, best: Score) -> bool:
    """Whether a checkpoint is still there: not deleted, nor of steps that are taken again."""
    return checkpoint_path(run.folder / "checkpoints", best.step).exists()


def _explain_end(progress: Progress) -> str:
    """Why --patience ends a run."""
    best = progress.best or progress.gain  # if no checkpoint could be saved
    assert best
    many = f"{progress.since} measurements" if progress.since > 1 else "1 measurement"
    what = f"{best.metric} has not become better by more than its error in {many}"
    return f"{what}; best: {best}; resume it with --patience 0 to train on"


def _read_measurement(measured: Any, step: int) -> Score:
    return Score(
        metric=str(measured.metric),
        step=step,
        value=float(measured.value),
        low=float(measured.low),
        high=float(measured.high),
        better=measured.better,
        is_hollow=measured.is_hollow,
    )


_TYPES = {"metric": str, "step": int, "value": float, "low": float, "high": float,
          "better": str, "is_hollow": bool}  # fmt: skip


def read_progress(state: Any) -> Progress:
    """The progress in a checkpoint, from `state_dict`. ValueError if it cannot be that."""
    if state == {}:
        return Progress()
    if not isinstance(state, dict) or set(state) != {"best", "gain", "since"}:
        raise ValueError("best is not what a run with --keep-best saves")
    since = state["since"]
    if type(since) is not int or since < 0:
        raise ValueError(f"best has since {since!r}; expected a number of measurements")
    return Progress(_read_score(state["best"]), _read_score(state["gain"]), since)


def _read_score(state: Any) -> Score | None:
    if state is None:
        return None
    if not isinstance(state, dict) or set(state) != set(_TYPES):
        raise ValueError("best is not what a run with --keep-best saves")
    for name, expected in _TYPES.items():
        value: Any = state[name]
        is_good = type(value) is expected
        if not is_good or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"best has {name} {value!r}")
    return Score(**state)
