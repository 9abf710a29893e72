"""Check the types of a spec's fields, and names that you type on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import NoneType
from typing import Any

from gankit.core.errors import quote_value
from gankit.core.run.image_size import EXPECTED, ImageSize

MAX_NAME = 100  # letters
_NAME = re.compile(r"\w[\w.+-]*")
VALUES = ("none", "auto")  # mean something else where a part can be named
# Columns of log.csv, where each trick has one, too.
COLUMNS = ("step", "kimg", "seconds", "d_loss", "g_loss", "penalty", "d_real", "d_fake")
_BUILDER = re.compile(r"[\w.]+:[\w.]+")
# Fields of the specs -> their types, and what a message calls these.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "summary source home licence pictures by_hand": ((str,), "text"),
    "generator": ((str,), "the name of a registered generator, such as 'dcgan'"),
    "discriminator": ((str,), "the name of a registered discriminator, such as 'dcgan'"),
    "lesson": ((int, NoneType), "a whole number"),
    "image_size": ((int, str), "a whole number, or a text such as '96x64'"),
    "default own": ((bool,), "True or False"),
    "downloads classes": ((tuple, list), "a tuple"),
    "settings variants": ((Mapping,), "a dict"),
}


def check_fields(spec: Any) -> None:
    """TypeError or ValueError if a field of a spec has another type than it says."""
    check_name(f"{type(spec).__name__}.name", spec.name)
    if is_reserved(spec.kind, spec.name):
        reserved = ", ".join((*VALUES, *COLUMNS) if spec.kind == "trick" else VALUES)
        raise ValueError(f"a {spec.kind} cannot have one of the names {reserved}: choose another")
    for names, (types, expected) in _TYPES.items():
        for name in names.split():
            if hasattr(spec, name) and not isinstance(getattr(spec, name), types):
                raise wrong_field(spec, name, expected)
    if hasattr(spec, "image_size") and not ImageSize.is_size(spec.image_size):
        raise wrong_field(spec, "image_size", EXPECTED)
    is_path = isinstance(spec.build, str) and _BUILDER.fullmatch(spec.build)
    is_network = hasattr(spec.build, "state_dict") and not isinstance(spec.build, type)
    if is_network or not (callable(spec.build) or is_path):
        expected = 'a class or a function, not an object of it; or the text "module:attribute"'
        raise wrong_field(spec, "build", expected)


def wrong_field(spec: Any, name: str, expected: str) -> TypeError:
    """The error for a field with a value of a wrong type."""
    value = quote_value(getattr(spec, name))
    return TypeError(
        f"{type(spec).__name__}.{name} of {spec.name!r} is {value}; expected {expected}"
    )


def is_reserved(kind: str, name: str) -> bool:
    """Whether a name means something else where a part of this kind is named."""
    return name in VALUES or (kind == "trick" and name in COLUMNS)


def check_name(what: str, name: object) -> None:
    """TypeError or ValueError unless it is a name that you can type on the command line."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is {quote_value(name)}; expected text")
    if len(name) > MAX_NAME:
        raise ValueError(f"{what} has {len(name):,} letters; expected at most {MAX_NAME}")
    if not _NAME.fullmatch(name):
        expected = "expected letters, digits and - _ . +"
        raise ValueError(f"{what} is {name!r}; {expected}")
