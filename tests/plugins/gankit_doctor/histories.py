"""Histories of runs, made of series of numbers, as the doctor reads them from log.csv."""

from gankit import Rule
from gankit.core.contracts.rule import Finding
from gankit.core.contracts.seen import History


def make_history(interval=40, **series):
    """A history with a look every `interval` steps; a number stands for a constant series."""
    length = max(len(values) for values in series.values() if isinstance(values, list))
    history = History()
    for index in range(length):
        row = {"step": interval * (index + 1)}
        for name, values in series.items():
            column = name if name in ("d_loss", "g_loss", "d_fake", "penalty") else f"doctor.{name}"
            row[column] = values[index] if isinstance(values, list) else values
        history.add(row)
    return history


class Threshold(Rule):
    """Fires where doctor.x is above 2, and stays while it is above 1."""

    name = "threshold"
    needs = ("doctor.x",)
    warm_up = 0.0
    judges_pictures = False
    is_calm = False
    setting = ""

    def look(self, seen):
        value = seen.last("x")
        if value <= 1:
            return None
        return Finding(
            level="enter" if value > 2 else "stay", text="x is high.", cure="Lower x.",
            evidence={"doctor.x": value}, is_note=self.is_calm,
            setting=self.setting,
        )  # fmt: skip


WORSE = {"far": [0.4] * 40, "texture": 0.6}  # pictures that get no better
BETTER = {"far": [0.5 * 0.9**index for index in range(40)], "texture": 0.3}
