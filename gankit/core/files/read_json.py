"""Read JSON that may come from somebody else: of a sensible size, depth and types."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.read_file import read_regular_file

MAX_BYTES = 64 << 20  # a run.json that lists half a million skipped files

Types = type | UnionType


def read_json(path: Path, description: str) -> Any:
    """The contents of a JSON file; `description` says what it should be: `a run.json of gankit`.

    GankitError if it cannot be read, is not JSON, is nested too deeply, or names an entry twice.
    """
    try:
        return parse_json(read_regular_file(path, MAX_BYTES))
    except ValueError as error:
        raise GankitError(f"{path} is not {description}: {error}") from error


def parse_json(content: bytes) -> Any:
    """The value of JSON in UTF-8.

    ValueError if it is not JSON, is nested too deeply, or names an entry twice.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_unique_entries)
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text (byte {error.start})"
    except RecursionError:
        reason = "it is nested too deeply"
    except json.JSONDecodeError as error:
        reason = str(error)
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        reason = "a number in it has too many digits"
    raise ValueError(reason)


def read_json_object(
    path: Path, description: str, types: Mapping[str, Types] | None = None
) -> dict[str, Any]:
    """The contents of a JSON file that holds an object, with entries of these types. GankitError.

    Entries that are missing, or that `types` does not name, are not checked.
    """
    record = read_json(path, description)
    reason = find_wrong_type(record, types or {})
    if reason:
        raise GankitError(f"{path} is not {description}: {reason}")
    return dict(record)


def find_wrong_type(record: Any, types: Mapping[str, Types]) -> str:
    """What is wrong with a record of these types, such as `steps is 'x'`; empty if nothing is."""
    if not isinstance(record, dict):
        return f"{quote_value(record)} stands where an object should be"
    for name, expected in types.items():
        if name in record and not has_type(record[name], expected):
            return f"{name} is {quote_value(record[name])}"
    return ""


def has_type(value: object, expected: Types) -> bool:
    """Whether a value of JSON has a type; a number is neither true nor false, and fits a float."""
    if isinstance(value, bool):
        return expected is bool
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return False
    return isinstance(value, expected)


def is_list_of(value: object, expected: Types) -> bool:
    """Whether a value of JSON is a list of values of one type."""
    return isinstance(value, list) and all(has_type(item, expected) for item in value)


def _unique_entries(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise json.JSONDecodeError(f"the entry {quote_value(twice)} occurs twice", "", 0)
    return record
