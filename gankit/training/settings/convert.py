"""Convert the value of a setting to the type of its field of Run, and refuse others."""

import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.option_types import describe_type
from gankit.core.run.image_size import EXPECTED, ImageSize
from gankit.core.run.settings import CHOICES, MAX_COUNT, Run, option, unknown_setting
from gankit.core.run.stage import CHANGEABLE, Stage

_FIELDS = {field.name: field for field in dataclasses.fields(Run)}
# May hold any character that a name in a folder can have.
PATHS = ("data", "classes", "out", "init")
# No null byte, and of the surrogates only those that stand for a name's bytes that are not UTF-8.
_PATH = re.compile(r"[^\0\ud800-\udc7f\udd00-\udfff]*")
MAX_LETTERS = 4096  # of a text; no path of Linux is longer
MAX_LETTERS_OF_WORD = 200  # of a device, a colour, a length
MAX_ITEMS = {"data": 100_000, "classes": 100_000}  # of other lists: 1000


def convert_setting(name: str, value: Any) -> Any:
    """Convert a value to the type of its field of Run.

    GankitError if it has another type, or if a text in it is too long or cannot be printed. Which
    values are allowed is checked by Run.
    """
    if name not in _FIELDS:
        raise unknown_setting(name)
    if name == "stages":
        return convert_stages(value)
    return _convert_size(value) if name == "image_size" else _convert_plain(name, value)


def _convert_plain(name: str, value: Any) -> Any:
    """Convert the value of a field that holds a text, a number, yes or no, or several texts."""
    default = _FIELDS[name].default
    if default is dataclasses.MISSING:  # a field that names a part
        default = ""
    expected = describe_type(default)
    if isinstance(default, tuple):
        value = _convert_list(name, value)
    elif isinstance(default, float) and type(value) is int:
        value = float(value) if abs(value) <= MAX_COUNT else math.inf
    elif isinstance(value, Path):
        value = str(value)
    is_valid = isinstance(value, str) if isinstance(default, str) else type(value) is type(default)
    if not is_valid:
        raise _wrong_value(name, value, expected)
    for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
        _check_text(name, text)
    return value


def _convert_size(value: Any) -> int | str:
    """A square's side, or a text such as "96x64"; its format and range are checked now."""
    if not isinstance(value, str) and type(value) is not int:
        raise _wrong_value("image_size", value, f"{EXPECTED}; in Python, as a text")
    return ImageSize.parse(value).setting


def convert_stages(value: Any) -> tuple[Stage, ...]:
    """The stages of a run, from a run.json or as they are in a Run. GankitError."""
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(map(_convert_stage, items))


def _convert_stage(item: Any) -> Stage:
    fields = vars(item) if isinstance(item, Stage) else item
    keys = fields.keys() if isinstance(fields, dict) else ()
    if keys != {"step", "before"} or not isinstance(fields["before"], Mapping):
        expected = 'it must be like {"step": 300, "before": {"lr_g": 0.0002}}'
        raise GankitError(f"a stage of the run is {quote_value(item)}; {expected}")
    if type(fields["step"]) is not int:
        expected = "it must be a whole number"
        raise GankitError(f"the step of a stage is {quote_value(fields['step'])}; {expected}")
    for name in fields["before"]:
        if name not in CHANGEABLE:
            raise GankitError(f"no stage of a run can change {quote_value(name)}")
    if fields["before"].get("zoom") == 0:
        raise GankitError("a stage of the run has zoom 0; it must be from 1 (none) to 4")
    before = {name: convert_setting(name, old) for name, old in fields["before"].items()}
    return Stage(fields["step"], before)


def _convert_list(name: str, value: Any) -> Any:
    """A tuple of texts from one text or path, or several; any other value is unchanged."""
    items = [value] if isinstance(value, str | Path) else value
    if not isinstance(items, list | tuple):
        return value
    if len(items) > MAX_ITEMS.get(name, 1000):
        what = f"{option(name)} has {len(items):,} values; gankit takes at most"
        raise GankitError(f"{what} {MAX_ITEMS.get(name, 1000):,}")
    if not all(isinstance(item, str | Path) for item in items):
        raise _wrong_value(name, value, "a list of texts")
    texts = tuple(item if isinstance(item, str) else str(item) for item in items)
    return () if name in ("tricks", "metrics") and texts == ("none",) else texts


def _check_text(name: str, text: str) -> None:
    """GankitError for a text that no name, path or option can be."""
    most = MAX_LETTERS if name in (*PATHS, *CHOICES) else MAX_LETTERS_OF_WORD
    if len(text) > most:
        reason = f"it has {len(text):,} characters; gankit takes at most {most:,}"
        raise GankitError(f"{option(name)} is {quote_value(text)}: {reason}")
    is_allowed = _PATH.fullmatch(text) if name in PATHS else text.isprintable()
    if not is_allowed:
        raise _wrong_value(name, text, "text without control characters")


def _wrong_value(name: str, value: Any, expected: str) -> GankitError:
    return GankitError(f"{option(name)} is {quote_value(value)}; it must be {expected}")
