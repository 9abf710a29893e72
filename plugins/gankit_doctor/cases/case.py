"""Case: the settings of a run of the bench, and the finding that is right for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gankit.core.run.settings import setting_to_argv

Settings = Mapping[str, Any]  # of `gankit.compose`

TUNING = "tuning"
VALIDATION = "validation"
TEST = "test"
FRESH = "fresh"
LATEST = "latest"
SHIPPED = "shipped"
PARTS = (TUNING, VALIDATION, TEST, FRESH, LATEST, SHIPPED)  # in the order they were written in
BROKEN_SEEDS = {
    TUNING: (0, 1, 2),
    VALIDATION: (100, 101, 102),
    TEST: (200, 201, 202),
    FRESH: (400, 401, 402, 403),
    LATEST: (500, 501, 502, 503),
}
THIRD_SEEDS = (402, 502)  # of broken runs that were made after the cures had changed
FOURTH_SEEDS = (403, 503)  # of all runs of both parts, made after rules and cures had changed again
HEALTHY_SEEDS = {
    TUNING: (0, 1),
    VALIDATION: tuple(range(100, 108)),
    TEST: tuple(range(200, 208)),
    FRESH: (400, 401, 402, 403),
    LATEST: (500, 501, 503),
    SHIPPED: (600, 601, 602),
}


@dataclass(frozen=True)
class Case:
    """A run of the bench, without its seed."""

    name: str
    settings: Settings
    halves: tuple[str, ...]  # parts of the bench, each with seeds of its own
    expected: tuple[str, ...] = ()  # the findings that are right as the first; none: it is healthy
    reason: str = ""  # what is wrong, or why a doctor may think that something is
    stops_at: int = 0  # it is stopped after this step and resumed; 0: it is not

    @property
    def argv(self) -> list[str]:
        """The options of `gankit run`."""
        words = []
        for name, value in self.settings.items():
            words += setting_to_argv(name, value)
        return words

    def seeds(self, half: str) -> tuple[int, ...]:
        """Its seeds in a part of the bench; none if it is not in that part."""
        if half not in self.halves:
            return ()
        return BROKEN_SEEDS[half] if self.expected else HEALTHY_SEEDS[half]
