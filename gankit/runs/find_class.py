"""The classes of a run with class labels: found by name or number, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from gankit.core.errors import GankitError, did_you_mean, quote_value
from gankit.data.read.names import printable

if TYPE_CHECKING:
    from torch import Tensor

Label: TypeAlias = str | int  # a class, by its name or its number
MAX_LISTED = 20  # classes in a message


def find_class(names: Sequence[str], label: Label) -> int:
    """The number of the class with this name, or this number. GankitError if there is none.

    Upper and lower case count only if two classes differ in nothing else.
    """
    if not names:
        raise GankitError(
            "this run has no class labels, so no class can be chosen: train one with --class-labels"
        )
    if isinstance(label, bool) or not isinstance(label, str | int):
        shown = quote_value(label)
        raise GankitError(f"label is {shown}: give the name of a class, such as {names[0]!r}")
    if isinstance(label, int):
        if not 0 <= label < len(names):
            raise GankitError(f"class {label} does not exist: they are 0 to {len(names) - 1}")
        return label
    if label in names:
        return names.index(label)
    folded = [name.casefold() for name in names]
    if folded.count(label.casefold()) == 1:
        return folded.index(label.casefold())
    hint = did_you_mean(label, names)
    suggestion = hint if hint.startswith(" Did") else ""
    listed = ", ".join(map(printable, names[:MAX_LISTED]))
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    raise GankitError(
        f"there is no class {quote_value(label)}.{suggestion} The classes are: {listed}{more}."
    )


def check_labels(labels: Tensor, count: int, names: Sequence[str]) -> None:
    """GankitError unless these are the labels of `count` pictures: numbers, or shares of classes.

    Numbers are (N,), int64; shares are (N, number of classes), float32.
    """
    if not names:
        raise GankitError("this run has no class labels: omit labels")
    shape = tuple(getattr(labels, "shape", ()))
    is_shares = shape == (count, len(names)) and labels.is_floating_point()
    is_numbers = shape == (count,) and not labels.is_floating_point()
    if not (is_shares or is_numbers):
        raise GankitError(
            f"labels is {quote_value(labels)}; expected a tensor of whole numbers, ({count},), or "
            f"of shares, ({count}, {len(names)})"
        )
    if is_numbers and count and not 0 <= int(labels.min()) <= int(labels.max()) < len(names):
        raise GankitError(f"labels must be numbers of classes, from 0 to {len(names) - 1}")
