"""The checkpoint that a user means: that of a step, `best` or `last`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.read_file import read_regular_file
from gankit.training.run_folder.find_run import checkpoint_step

BEST = "best"  # also the file that names it
LAST = "last"
MAX_BYTES = 100  # of that file
# A checkpoint as you name it; None is the newest that is not damaged.
Step: TypeAlias = int | Literal["best", "last"] | None


def checkpoint_path(checkpoints: Path, step: int) -> Path:
    """The checkpoint of a step in a run's folder of checkpoints."""
    return checkpoints / f"step-{step:06d}"


def checkpoint_word(name: int | str) -> str:
    """What the name of a file calls a checkpoint: `step-500`, `best` or `last`."""
    return f"step-{name}" if isinstance(name, int) else name


def best_step(checkpoints: Path) -> int | None:
    """The step that the file `best` there names; None if there is none, or if it names none."""
    try:
        text = read_regular_file(checkpoints / BEST, MAX_BYTES)
    except GankitError:
        return None
    return checkpoint_step(text.decode("ascii", "replace").strip())


def named_step(folder: Path, name: Any) -> int | None:
    """The step that was asked for: a number, `best`, or `last`; None is the newest undamaged one.

    GankitError for anything else, or if the run in `folder` has no best checkpoint.
    """
    if name is None or name == LAST:
        return None
    if type(name) is int:
        return name
    if name != BEST:
        raise GankitError(f"there is no checkpoint {quote_value(name)}: give a step, best or last")
    step = best_step(folder / "checkpoints")
    if step is None:
        raise GankitError(_explain_missing(folder))
    return step


def _explain_missing(folder: Path) -> str:
    """Why a run has no best checkpoint."""
    what = f"{folder} has no best checkpoint"
    if (folder / "checkpoints" / BEST).exists():
        return f"{what}: its file checkpoints/{BEST} does not name one"
    return f"{what}: a run that trains with --keep-best METRIC has one once it has measured"
