"""Reads `name:key=value,key=value`, the way every part is chosen with its options."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from gankit.core.errors import GankitError

_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Choice(NamedTuple):
    """A part's name with the options asked for: `noisy-d:sigma=0.1,until=0.5`."""

    name: str
    options: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> Choice:
        name, colon, rest = text.strip().partition(":")
        if not name or (colon and not rest):
            raise GankitError(f"{text!r} names no part: write NAME or NAME:option=value,...")
        options: dict[str, Any] = {}
        for item in rest.split(",") if rest else ():
            key, equals, value = item.partition("=")
            key = key.strip().replace("-", "_")
            if not equals or not key or key in options:
                wrong = "is given twice" if key in options else "is not option=value"
                raise GankitError(f"{item!r} in {text!r} {wrong}")
            options[key] = read_value(value.strip())
        return cls(name, options)

    def __str__(self) -> str:
        pairs = ",".join(f"{key}={write_value(value)}" for key, value in self.options.items())
        return f"{self.name}:{pairs}" if pairs else self.name


def read_value(text: str) -> Any:
    """A number, true/false, none, or the text itself."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if set(text.lower()) & set(".e") else int(text)


def write_value(value: Any) -> str:
    """The text that `read_value` turns back into the value."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
