"""Numbers that tricks and observers report for the log, and the text that shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from gankit.core.errors import quote_value

if TYPE_CHECKING:
    from torch import Tensor

Numbers: TypeAlias = "Mapping[str, float | Tensor]"
Activity: TypeAlias = "str | Mapping[str, float | Tensor | str] | None"  # see Trick.activity

TEXT = "text"  # the key of a text among the numbers
_NAME = re.compile(r"[^\W\d][\w-]{0,49}")


def require_numbers(what: str, numbers: object) -> dict[str, Any]:
    """A dict of names and numbers, which may be tensors of one number; ValueError for another."""
    if not isinstance(numbers, Mapping):
        raise ValueError(f"{what} is {quote_value(numbers)}; expected a dict of numbers")
    for name, value in numbers.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            allowed = "up to 50 letters, digits, - and _, and start with a letter"
            raise ValueError(f"{what} has the name {quote_value(name)}; it must be {allowed}")
        if not _is_number(value):
            raise ValueError(f"{what} has {name} = {quote_value(value)}; expected a number")
    return dict(numbers)


def _is_number(value: Any) -> bool:
    """Whether it is a number of Python or NumPy, or a tensor of one real number; reads nothing."""
    if hasattr(value, "numel"):
        return bool(value.numel() == 1 and not value.is_complex())
    return hasattr(value, "__float__") and not isinstance(value, str)


def numbers_of(activity: Activity) -> dict[str, float]:
    """The numbers of what a trick's `activity` returned; reads those that are tensors."""
    if activity is None or isinstance(activity, str):
        return {}
    return {name: to_float(value) for name, value in activity.items() if name != TEXT}


def to_float(number: Any) -> float:
    """A number of Python or NumPy, or a tensor of one number, which may have a graph."""
    return float(number.detach() if hasattr(number, "detach") else number)


def text_of(activity: Activity) -> str | None:
    """What the console shows of it: its own text, else its numbers; None if there is nothing."""
    if activity is None or isinstance(activity, str):
        return activity
    if TEXT in activity:
        return str(activity[TEXT])
    return ", ".join(f"{name} {value:.4g}" for name, value in numbers_of(activity).items()) or None
