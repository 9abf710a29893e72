"""Which values an option of a part takes: the annotation of its parameter says it, or the default.

These annotations are read: int, float, bool, str, Path, Literal, and unions of them and None. With
any other one, and without one, the default decides.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

# Types that a message can name.
NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list",
    Path: "a path",
    NoneType: "none",
}
_READ = (bool, int, float, str, Path, NoneType)
_IN_TEXT = {"None": NoneType, **{kind.__name__: kind for kind in _READ}}


def accepted_types(annotation: Any) -> set[Any]:
    """The types of an annotation: {str, NoneType} for `str | None`, {str} for `Literal["a"]`."""
    types: set[Any] = set()
    for member in _members(annotation):
        types |= set(map(type, get_args(member))) if _is_literal(member) else {member}
    return types


def takes_text(parameter: inspect.Parameter, text: str) -> bool:
    """Whether a parameter takes `text` as a text, by its annotation, or else by its default.

    `none` is a text for `str`, and None for `str | None`.
    """
    types = _types_of(parameter)
    if NoneType in types and text.lower() == "none":
        return False
    return bool(types - {NoneType}) and types <= {str, Path, NoneType}


def accepts(parameter: inspect.Parameter, value: object) -> bool:
    """Whether a value is of a type that a parameter takes; an int may stand for a float."""
    default = parameter.default
    if value is None and default is None:
        return True
    if not _is_read(parameter):
        return default in (None, inspect.Parameter.empty) or same_type(value, default)
    return any(_is_member(value, member) for member in _members(parameter.annotation))


def describe_accepted(parameter: inspect.Parameter) -> str:
    """The values that a parameter takes, for messages: `a number or none, like the default 0.5`."""
    default = parameter.default
    if not _is_read(parameter):
        names = [describe_type(default)]
    else:
        names = []
        for member in _members(parameter.annotation):
            names += map(repr, get_args(member)) if _is_literal(member) else [NAMES[member]]
    expected = " or ".join(names)
    if default in (None, inspect.Parameter.empty):
        return expected
    shown = str(default) if isinstance(default, Path) else default
    return f"{expected}, like the default {shown!r}"


def convert_path(parameter: inspect.Parameter, value: object) -> object:
    """A text as a Path, if that is what a parameter takes; any other value as it is."""
    types = _types_of(parameter)
    is_path = isinstance(value, str) and Path in types and str not in types
    return Path(str(value)) if is_path else value


def _types_of(parameter: inspect.Parameter) -> set[Any]:
    """The types of a parameter's annotation; without one, the type of its default."""
    if parameter.annotation is not inspect.Parameter.empty:
        return accepted_types(parameter.annotation)
    default = parameter.default
    return {Path if isinstance(default, Path) else type(default)}


def same_type(value: object, default: object) -> bool:
    """Whether a value has the type of the default; an int may stand for a float."""
    if isinstance(default, Path):
        return isinstance(value, str | Path)
    return _is_member(value, type(default))


def describe_type(default: object) -> str:
    """The type of a default in plain words, for messages: `a whole number`."""
    return NAMES.get(type(default), f"a {type(default).__name__}")


def _is_member(value: object, member: Any) -> bool:
    """Whether a value belongs to a type or a Literal; a bool is not an int here."""
    if _is_literal(member):
        return any(value == item and type(value) is type(item) for item in get_args(member))
    if member is bool or isinstance(value, bool):
        return type(value) is member
    accepted = {float: (int, float), Path: (str, Path)}.get(member, member)
    return isinstance(value, accepted)


def _is_read(parameter: inspect.Parameter) -> bool:
    """Whether the annotation of a parameter decides, and not its default."""
    return all(m in _READ or _is_literal(m) for m in _members(parameter.annotation))


def _is_literal(member: Any) -> bool:
    return get_origin(member) is Literal


def _members(annotation: Any) -> list[Any]:
    """The types of a union, each once; or the annotation, in a list."""
    if isinstance(annotation, str):  # not evaluated
        return [_IN_TEXT.get(name.strip(), name) for name in annotation.split("|")]
    if get_origin(annotation) in (Union, UnionType):
        members = [member for part in get_args(annotation) for member in _members(part)]
        return list(dict.fromkeys(members))
    return [annotation]
