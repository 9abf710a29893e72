"""Check the metric of --keep-best before a run begins."""

from __future__ import annotations

from typing import Any

from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry


def check_best_metric(registry: Registry, text: str) -> Choice:
    """The metric, checked. GankitError if there is none of this name, or if it has no direction."""
    choice = registry.check("metric", text)
    with registry.attribute_errors_to("metric", choice):
        metric: Any = registry.find("metric", choice.name).builder()
    if not isinstance(metric, type):  # a function that makes one
        metric = registry.make("metric", choice)
    why = getattr(metric, "no_direction", "")
    better = getattr(metric, "better", "lower")
    if not why and better not in ("lower", "higher"):
        why = f"its better is {quote_value(better)}; it must be 'lower' or 'higher'"
    if why:
        what = f"--keep-best is {quote_value(str(choice))}, which has no best value"
        raise GankitError(f"{what} ({why}): choose another metric, such as kid or swd")
    return choice
