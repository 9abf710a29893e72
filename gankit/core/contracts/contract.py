"""Compare the methods of a part with those of its base class: their names and what they take."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import TypeVar

from gankit.core.errors import did_you_mean

Part = TypeVar("Part")


def require_known_methods(cls: type, base: type, former: Collection[str] = ()) -> None:
    """TypeError for a public method of a new part that nobody calls; it may be misspelt.

    `former`: names of methods in earlier versions.
    """
    inherited = {name for parent in cls.__mro__[1:] for name in vars(parent)}
    for name, value in vars(cls).items():
        is_method = callable(value) and not name.startswith("_")
        if is_method and name not in inherited and name not in former:
            methods = [n for n, v in vars(base).items() if callable(v) and not n.startswith("_")]
            hint = did_you_mean(name, [n for n in methods if n != "overrides"])
            what = f"{cls.__name__}.{name} is not a method of gankit.{base.__name__}"
            raise TypeError(f"{what}.{hint}")


def require_part(part: object, base: type[Part]) -> Part:
    """ValueError unless it is an instance of the base class whose methods gankit can call."""
    if not isinstance(part, base):
        what = f"its builder returns a {type(part).__name__}"
        raise ValueError(f"{what}; expected a gankit.{base.__name__}")
    for name, method in vars(base).items():
        is_public = inspect.isfunction(method) and not name.startswith("_")
        if is_public and getattr(type(part), name) is not method:
            _, *arguments = inspect.signature(method).parameters
            if name == "compare" and getattr(part, "reads_training", False):  # of a Metric
                arguments.append("training")
            _require_arguments(part, name, arguments)
    return part


def _require_arguments(part: object, name: str, arguments: list[str]) -> None:
    """ValueError unless a method takes the arguments with which gankit calls it."""
    try:
        signature = inspect.signature(getattr(part, name))
    except (TypeError, ValueError):  # of a callable that is not written in Python
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        own = ", ".join(["self", *map(str, signature.parameters.values())])
        call = ", ".join(["self", *arguments])
        raise ValueError(f"has {name}({own}), but gankit calls {name}({call})") from error
