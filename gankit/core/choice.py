"""Choice: a part and its options, as you type them: `name:key=value,key=value`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from gankit.core.errors import GankitError, quote_value

_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}
MAX_DIGITS = 400  # of a number
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Choice(str):
    """The name of a part with options for it: `noisy-d:sigma=0.1,until=0.5`.

    A string in canonical form, for run.json, messages and comparisons. It is parsed only once: the
    results are in `name` and `options`.
    """

    name: str
    options: Mapping[str, Any]

    def __new__(cls, name: str, options: Mapping[str, Any] | None = None) -> Choice:
        options = dict(options or {})
        pairs = ",".join(f"{key}={format_value(value)}" for key, value in options.items())
        choice = super().__new__(cls, f"{name}:{pairs}" if pairs else name)
        choice.name = name
        choice.options = options
        return choice

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Parse a text; a Choice is returned unchanged. Raises GankitError."""
        if isinstance(text, Choice):
            return text
        name, colon, rest = text.strip().partition(":")
        if not name or (colon and not rest):
            shown = quote_value(text)
            raise GankitError(f"{shown} does not name a part: write NAME or NAME:option=value,...")
        options: dict[str, Any] = {}
        items = rest.split(",") if rest else []
        for item in items:
            key, equals, value = item.partition("=")
            key = key.strip().replace("-", "_")
            if key in options:
                shown = f"option {quote_value(key)} in {quote_value(text)}"
                raise GankitError(f"{shown} is given twice: keep one")
            if not equals or not key:
                shown = f"{quote_value(item)} in {quote_value(text)}"
                raise GankitError(f"{shown} is not of the form option=value")
            options[key] = parse_value(value.strip())
        return cls(name, options)

    def __reduce__(self) -> tuple[Any, ...]:  # for copy and pickle
        return Choice, (self.name, self.options)


def parse_value(text: str) -> Any:
    """Parse an option's value: a number, true/false, none, or else the text itself.

    A number beyond those of any computer, such as 1e400, stays text.
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text) or math.isinf(float(text)):
        return text
    return float(text) if set(text.lower()) & set(".e") else int(text)


def format_value(value: Any) -> str:
    """Format an option's value; the inverse of `parse_value`."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
