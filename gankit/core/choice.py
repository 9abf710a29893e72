"""Choice: a part with its options, as a person writes it: `name:key=value,key=value`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gankit.core.errors import GankitError

_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Choice(str):
    """A part's name with the options asked for: `noisy-d:sigma=0.1,until=0.5`.

    It is the text itself, in its canonical form, for run.json, messages and comparisons; and it
    knows its `name` and its `options`, so that nobody has to read the text again.
    """

    name: str
    options: Mapping[str, Any]

    def __new__(cls, name: str, options: Mapping[str, Any] | None = None) -> Choice:
        options = dict(options or {})
        pairs = ",".join(f"{key}={write_value(value)}" for key, value in options.items())
        choice = super().__new__(cls, f"{name}:{pairs}" if pairs else name)
        choice.name = name
        choice.options = options
        return choice

    @classmethod
    def parse(cls, text: str) -> Choice:
        """The choice that a text makes; a Choice is itself."""
        if isinstance(text, Choice):
            return text
        name, colon, rest = text.strip().partition(":")
        if not name or (colon and not rest):
            raise GankitError(f"{text!r} names no part: write NAME or NAME:option=value,...")
        options: dict[str, Any] = {}
        items = rest.split(",") if rest else []
        for item in items:
            key, equals, value = item.partition("=")
            key = key.strip().replace("-", "_")
            if key in options:
                raise GankitError(f"{item!r} in {text!r} is given twice")
            if not equals or not key:
                raise GankitError(f"{item!r} in {text!r} is not option=value")
            options[key] = read_value(value.strip())
        return cls(name, options)

    def __reduce__(self) -> tuple[Any, ...]:  # to copy it, and to send it to another process
        return Choice, (self.name, self.options)


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
