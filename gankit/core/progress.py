"""Progress: how work that takes a while tells how far it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

Progress = Callable[..., None]  # called with (done, total); see in_stage
PREPARING = "preparing"
TRAINING = "training"


def no_progress(done: int, total: int) -> None:
    """A Progress that shows nothing."""


def in_stage(progress: Progress, stage: str) -> Progress:
    """A progress callback for one stage of the work: it gets `stage=` if it has that parameter."""
    try:
        parameters = inspect.signature(progress).parameters.values()
    except (TypeError, ValueError):  # some functions written in C tell nothing
        return progress
    if any(p.name == "stage" or p.kind is p.VAR_KEYWORD for p in parameters):
        return functools.partial(progress, stage=stage)
    return progress


def only_preparing(progress: Progress) -> Progress:
    """A progress callback that ignores all stages but the preparation of pictures."""

    def of_preparation(done: int, total: int, stage: str) -> None:
        if stage == PREPARING:
            progress(done, total)

    return of_preparation
