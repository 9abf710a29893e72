"""Pictures that were skipped for a reason that may pass: a Pillow without a format, a bad disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gankit.data.messages import FORMAT_IS_MISSING, TOO_LITTLE_MEMORY, UNREADABLE
from gankit.data.read.in_flight import opened

# What the reasons begin with, of which none is about the bytes of the file.
MAY_PASS = (FORMAT_IS_MISSING, UNREADABLE, TOO_LITTLE_MEMORY)


def find_readable(
    pictures: Sequence[Any], skipped: Sequence[str], transform: Callable[[Any], Any]
) -> str:
    """The name of a picture that was skipped but can be read now; "" if there is none.

    `skipped` are lines "name: reason". Only pictures whose reason may pass are tried.
    """
    names = set(_names_of(skipped))
    if not names:
        return ""
    for index, name in enumerate(getattr(pictures, "names", ())):
        if " ".join(name.split()) in names and _can_read(pictures, index, transform):
            return str(name)
    return ""


def _names_of(skipped: Sequence[str]) -> Iterator[str]:
    """The names of the pictures whose reason may pass."""
    for line in skipped:
        for reason in MAY_PASS:
            name, separator, _ = line.rpartition(f": {reason}")
            if separator:
                yield name


def _can_read(pictures: Sequence[Any], index: int, transform: Callable[[Any], Any]) -> bool:
    try:
        with opened(pictures, index) as picture:
            transform(picture)
    except Exception:  # a picture may raise anything
        return False
    return True
