"""Durations are short, and rounded once."""

import pytest

from gankit.core.clock import format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45.4, "45 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7507, "2 h 5 min")],
)
def test_a_duration_has_at_most_two_units(seconds, text):
    assert format_duration(seconds) == text
