"""The metric of --keep-best among those that a run measures."""

from __future__ import annotations

from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice


def with_best_metric(keep_best: str, metrics: tuple[Choice, ...]) -> tuple[str, tuple[Choice, ...]]:
    """The metric of `keep_best` as the run measures it, and `metrics` with it. GankitError.

    `kid` also means a `kid` of `metrics` that has options, if it is the only one.
    """
    if keep_best in ("", "none"):
        return "", metrics
    choice = Choice.parse(keep_best)
    if choice in metrics:
        return choice, metrics
    same_name = [metric for metric in metrics if metric.name == choice.name]
    if choice.options or not same_name:
        return choice, (*metrics, choice)
    if len(same_name) > 1:
        several = " and ".join(map(repr, map(str, same_name)))
        cure = "name one of them, with its options"
        raise GankitError(f"--keep-best is {keep_best!r}, but the run measures {several}: {cure}")
    return same_name[0], metrics
