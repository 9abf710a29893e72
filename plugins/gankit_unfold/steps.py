"""Which steps to unfold: `--at 0,50,500,last`, counted as in log.csv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gankit.core.errors import GankitError, quote_value
from gankit.training.checkpoints.named_checkpoint import BEST, LAST, named_step

MAX_STEPS = 50  # on one page, which then has about 5 MB
EXAMPLE = "give steps as log.csv counts them, such as --at 0,50,500,last"


def parse_steps(text: str, logged: Sequence[int], folder: Path) -> list[int]:
    """The steps that a text names, in order; `logged` are the steps of the log of the run there.

    0 is the start of the run, so the first step; `best` is that of its best checkpoint.
    GankitError.
    """
    words = [word.strip() for word in text.split(",")]
    words = [str(named_step(folder, BEST)) if word == BEST else word for word in words]
    steps = {_parse(word, text, logged[-1]) for word in words}
    if len(steps) > MAX_STEPS:
        raise GankitError(f"--at names {len(steps)} steps; a page holds {MAX_STEPS} or less")
    return sorted(steps)


def _parse(word: str, text: str, last: int) -> int:
    if word == LAST:
        return last
    if not (word.isascii() and word.isdigit() and len(word) <= 18):
        raise GankitError(f"--at is {quote_value(text)}: {EXAMPLE}")
    step = int(word)
    if step > last:
        raise GankitError(f"--at names step {step}; the last step in the log is {last}: {EXAMPLE}")
    return max(step, 1)


def default_steps(logged: Sequence[int]) -> list[int]:
    """The first step, the first one in the log, the one in the middle of it, and the last."""
    middle = logged[(len(logged) - 1) // 2]
    return sorted({1, logged[0], middle, logged[-1]})
