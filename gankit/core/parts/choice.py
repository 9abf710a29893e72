"""Choice: a part and its options, as you type them: `name:key=value,key="a, b"`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from gankit.core.errors import GankitError, quote_value

_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}
MAX_DIGITS = 400  # of a number
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_QUOTED = r"""(?:"(?:[^"]|"")*"|'(?:[^']|'')*')"""  # a quote inside is doubled
_ITEM = re.compile(rf"(?:^|,)([^,=]*=\s*{_QUOTED}\s*(?=,|\Z)|[^,]*)")


class Choice(str):
    """The name of a part with options for it: `noisy-d:sigma=0.1,until=0.5`.

    A string in canonical form, for run.json, messages and comparisons. It is parsed only once: the
    results are in `name` and `options`. A value without quotes gets the type that it looks like,
    and `texts` keeps it as it was typed, because only the part's builder tells whether `2024` is a
    number or a text.
    """

    name: str
    options: Mapping[str, Any]
    texts: Mapping[str, str]

    def __new__(
        cls,
        name: str,
        options: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> Choice:
        options = dict(options or {})
        pairs = ",".join(f"{key}={format_value(value)}" for key, value in options.items())
        choice = super().__new__(cls, f"{name}:{pairs}" if pairs else name)
        choice.name = name
        choice.options = options
        choice.texts = dict(texts or {})
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
        texts: dict[str, str] = {}
        for item in split_at_commas(rest) if rest else ():
            key, equals, value = item.partition("=")
            key = key.strip().replace("-", "_")
            value = value.strip()
            if key in options:
                shown = f"option {quote_value(key)} in {quote_value(text)}"
                raise GankitError(f"{shown} is given twice: keep one")
            if not equals or not key:
                shown = f"{quote_value(item)} in {quote_value(text)}"
                more = "if it is another name, give each name on its own"
                raise GankitError(f"{shown} is not of the form option=value; {more}")
            if not _is_quoted(value):
                texts[key] = value
                if value.startswith(("'", '"')):
                    shown = f"{quote_value(f'{key}={value}')} in {quote_value(text)}"
                    cure = "quote the whole value, and write a quote inside it twice"
                    raise GankitError(f"the quotes of {shown} do not match: {cure}")
            options[key] = parse_value(value)
        return cls(name, options, texts)

    def __reduce__(self) -> tuple[Any, ...]:  # for copy and pickle
        return Choice, (self.name, self.options, self.texts)


def split_at_commas(text: str) -> list[str]:
    """Split `a=1,b="2,3"` at its commas, but not at those in a quoted value."""
    items: list[str] = _ITEM.findall(text)
    return items


def _is_quoted(value: str) -> bool:
    return re.fullmatch(_QUOTED, value) is not None


def parse_value(text: str) -> Any:
    """Parse an option's value: a number, true/false, none, or else a text; in quotes, a text.

    A number beyond those of any computer, such as 1e400, stays text.
    """
    if _is_quoted(text):
        quote = text[0]
        return text[1:-1].replace(2 * quote, quote)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text) or math.isinf(float(text)):
        return text
    return float(text) if set(text.lower()) & set(".e") else int(text)


def format_value(value: Any) -> str:
    """Format an option's value; the inverse of `parse_value`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and _needs_quotes(value):
        return '"' + value.replace('"', '""') + '"'
    return str(value)


def _needs_quotes(text: str) -> bool:
    """Whether a text without quotes would be parsed to something else."""
    return (
        "," in text or text[:1] in ("'", '"') or text != text.strip() or parse_value(text) != text
    )
