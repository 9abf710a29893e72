"""Durations as readable text, and speeds by a clock that may stand still."""

import math
import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(s|sec|m|min|h)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}  # by the first letter
MIN_SECONDS = 1e-9  # a clock may stand still or go back, as in a virtual machine that was paused


def rate(count: float, seconds: float) -> float:
    """How many per second; very many if no time has passed."""
    return count / max(seconds, MIN_SECONDS)


def format_time_left(count: float, speed: float) -> str:
    """How long `count` more take at a speed per second; `?` at none."""
    return format_duration(count / speed) if speed > 0 else "?"


def format_duration(seconds: float) -> str:
    """`2 h 5 min`, `3 min 20 s`, `45 s`; `?` if it is not a number of seconds."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def parse_duration(text: str) -> float:
    """The seconds of `90s`, `10m`, `10 min` or `2h`; 0 for any other text."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNIT_SECONDS[match[2][0]] if match else 0.0
