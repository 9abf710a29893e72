"""What a program gives to `train`: observers, and the functions `progress` and `stop`."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gankit.core.errors import GankitError, describe_error, quote_value
from gankit.core.parts.registry import Plugin
from gankit.core.progress import Progress, in_stage
from gankit.core.stop import Stop
from gankit.training.settings.python_words import called_from_python

log = logging.getLogger("gankit")


def check_callbacks(progress: object, stop: object) -> None:
    """GankitError unless both can be called as `train` calls them."""
    if stop is not None and not isinstance(stop, Stop):
        _check_call("stop", stop, "stop()")
    _check_call("progress", progress, "progress(done, total)", 0, 1)


def _check_call(name: str, function: object, call: str, *arguments: int) -> None:
    if not callable(function):
        expected = f"it must be a function that can be called as {call}"
        raise GankitError(f"{name} is {quote_value(function)}; {expected}")
    try:
        signature = inspect.signature(in_stage(function, ""))
    except (TypeError, ValueError):  # some functions written in C tell nothing
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        has_third = len(signature.parameters) > 2  # without `stage`, which is bound already
        cure = "; name its third parameter stage" if name == "progress" and has_third else ""
        raise GankitError(f"{name} cannot be called as {call}: {error}{cure}") from error


class GuardedProgress:
    """Calls a program's `progress`; if that fails, warns once and ignores it from then on.

    The command line's own progress may fail on purpose, if nobody reads the output any more.
    """

    def __init__(self, progress: Progress, stop: Stop) -> None:
        self.progress = progress
        self.stop = stop
        self.has_failed = False
        self.is_guarded = called_from_python()

    def in_stage(self, stage: str) -> Progress:
        """The callback for one stage of the work."""
        call = in_stage(self.progress, stage)
        return self._guard(call) if self.is_guarded else call

    def _guard(self, call: Callable[..., None]) -> Progress:
        def guarded(done: int, total: int) -> None:
            if self.has_failed:
                return
            try:
                call(done, total)
            except KeyboardInterrupt as error:  # always taken for Ctrl-C
                self.stop.interrupt(error)
            except BaseException as error:  # a program's function may raise anything
                self.has_failed = True
                what = "progress failed and is ignored for the rest of the run: %s"
                log.warning(what, describe_error(error, with_place=True))

        return guarded


@dataclass(frozen=True)
class Program:
    """What the program that calls `train` wants to see and to decide."""

    observers: Sequence[Plugin]
    progress: GuardedProgress
    stop: Stop
    is_quiet: bool
