"""Control: what an observer can do to the run that it observes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from gankit.core.reported import Numbers, require_numbers
from gankit.core.stop import Stop

log = logging.getLogger("gankit")


class Control:
    """Lets an observer warn, add numbers to the log, and end the run."""

    def __init__(
        self,
        name: str,
        stop: Stop,
        reported: dict[str, Any],
        measured: Callable[..., str],
        is_quiet: bool,
    ) -> None:
        self._name = name  # of the observer
        self._stop = stop
        self._reported = reported  # the numbers for the next row of the log
        self._measured = measured
        self.is_quiet = is_quiet  # whether the program that trains wants the console for itself

    def warn(self, text: str) -> None:
        """Print a warning of one line, as gankit prints its own."""
        log.warning("%s: %s", self._name, _one_line(text))

    def stop(self, reason: str = "") -> None:
        """End the run after this step: it is saved, and the reason is told. This is not an error.

        Under torchrun, all processes stop at the next logged step.
        """
        self._stop.end(f"{self._name}: {_one_line(reason) or 'ended by this observer'}")

    def report(self, numbers: Numbers) -> None:
        """Add numbers to the next row of log.csv, as columns `NAME.key`; also to TensorBoard.

        NAME is the observer's. Of several values for a row, the last is written. A tensor of one
        number is read when the row is written. ValueError if a value is not a number.
        """
        for key, value in require_numbers("report", numbers).items():
            self._reported[f"{self._name}.{key}"] = value

    def measured(self, **arguments: Any) -> str:
        """Call the event `measured` of all observers; for a plugin that measures a run.

        Returns what it means for --keep-best and --patience, in words; empty without these.
        """
        return self._measured(**arguments)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
