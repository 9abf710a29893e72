"""Class labels: the class of each prepared picture, as a number, for `--class-labels`."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gankit.core.contracts.prepared import PreparedDataset, Rows
from gankit.core.errors import GankitError, quote_value
from gankit.core.printable import printable
from gankit.data.find.names import unify_letters
from gankit.data.messages import name_tables, shorten

MAX_CLASSES = 1000
MAX_LETTERS = 200  # of a name
FEW = 10  # training pictures: a class of fewer can hardly be learnt


class ClassLabels(NamedTuple):
    """The classes of a data set."""

    labels: Rows  # (N,), the class of each prepared picture, from 0
    names: tuple[str, ...]  # of the classes, in order
    tables: Sequence[str] = ()  # those that the labels are from

    def fingerprint(self, pixels: str) -> str:
        """A fingerprint of the labels and of pixels that have the fingerprint `pixels`."""
        contents = hashlib.sha256(repr([pixels, self.names]).encode())
        contents.update(np.ascontiguousarray(self.labels, "<i8").data)
        return contents.hexdigest()[:20]


def add_labels(
    prepared: PreparedDataset,
    data_set: str,
    pictures: Sequence[Any],
    sources: Rows | None,
    recorded: Sequence[str] = (),
) -> PreparedDataset:
    """A prepared data set with its classes, of which each must have pictures to train on.

    Arguments and GankitError: as for `read_labels`.
    """
    if sources is None:
        folder = Path(prepared.pixels.filename).parent  # type: ignore[attr-defined]  # a memory map
        why = "an older gankit has prepared these pictures, without their classes"
        raise GankitError(f"{why}: delete {folder}, and gankit prepares them again")
    classes = read_labels(data_set, pictures, sources, recorded)
    return prepared._replace(
        fingerprint=classes.fingerprint(prepared.fingerprint),
        notes=[*prepared.notes, *check_training_classes(classes, prepared.train)],
        labels=classes.labels,
        class_names=classes.names,
    )


def read_labels(
    data_set: str, pictures: Sequence[Any], sources: Rows, recorded: Sequence[str] = ()
) -> ClassLabels:
    """The classes of prepared pictures. GankitError, with the name `data_set`, if there are none.

    `pictures.classes` has the name of the class of each picture, before it was prepared; it is
    empty for a picture without a class. `sources` (N,) are the numbers of the prepared pictures.
    The classes are in the order of `pictures.class_names`, if it has any, else sorted by name. If
    they are those of a run that has begun, they are as it has `recorded` them.
    """
    shown = repr(printable(shorten(data_set)))
    tables = getattr(pictures, "label_tables", ())
    of_pictures = _read_names(shown, pictures)
    of_prepared = [of_pictures[source] for source in sources.tolist()]
    if not any(of_prepared):
        raise GankitError(
            f"data set {shown} has no classes: put the pictures of each class into a folder of its "
            "own, with the name of the class, or omit --class-labels and --balance-classes"
        )
    if not all(of_prepared):
        raise GankitError(_explain_unlabelled(shown, pictures, sources, of_prepared))
    names = _in_order(set(of_prepared), getattr(pictures, "class_names", ()))
    _check_number(shown, names, tables)
    numbers, shown_names = _number(names, recorded)
    labels = np.array([numbers[name] for name in of_prepared], np.int64)
    return ClassLabels(labels, shown_names, tables)


def _number(
    names: Sequence[str], recorded: Sequence[str]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The number of each class, and the names in this order, fit to be shown.

    If a run has recorded the same classes, its order and its spelling stay: it may have ü as two
    letters, which come earlier in the alphabet than one.
    """
    shown_names = _printable_names(names)
    places = {unify_letters(name): number for number, name in enumerate(recorded)}
    if len(recorded) != len(names) or set(places) != set(shown_names):
        return {name: number for number, name in enumerate(names)}, shown_names
    pairs = zip(names, shown_names, strict=True)
    return {name: places[shown_name] for name, shown_name in pairs}, tuple(recorded)


def _read_names(shown: str, pictures: Sequence[Any]) -> list[str]:
    """The name of the class of each picture, which may be empty."""
    names = getattr(pictures, "classes", None)
    if names is None:
        return [""] * len(pictures)
    if len(names) != len(pictures):
        count = f"{len(names):,} names for {len(pictures):,} pictures"
        raise GankitError(f"`classes` of data set {shown} has {count}: give one for each picture")
    return [unify_letters(str(name)) for name in names]


def _explain_unlabelled(
    shown: str, pictures: Sequence[Any], sources: Rows, names: Sequence[str]
) -> str:
    missing = [source for source, name in zip(sources.tolist(), names, strict=True) if not name]
    files = getattr(pictures, "names", None)
    first = f", such as {files[missing[0]]}" if files else ""
    first += name_tables(getattr(pictures, "label_tables", ()))
    return (
        f"{len(missing):,} of {len(names):,} pictures of {shown} have no class{first}: move them "
        "into class folders, give them a label in metadata.csv, name the folders to use with "
        "--classes, or omit --class-labels"
    )


def _in_order(names: set[str], order: Sequence[str]) -> list[str]:
    """The names in this order; others come last, sorted, with numbers by their value."""
    place = {unify_letters(str(name)): number for number, name in enumerate(order)}

    def key(name: str) -> tuple[int, int, str]:
        is_number = name.isascii() and name.isdigit() and len(name) < 20
        return place.get(name, len(place)), int(name) if is_number else 0, name

    return sorted(names, key=key)


def _check_number(shown: str, names: Sequence[str], tables: Sequence[str]) -> None:
    if len(names) == 1:
        raise GankitError(
            f"all pictures of {shown} are of one class, {quote_value(names[0])}"
            f"{name_tables(tables)}, so there is none to choose: omit --class-labels and "
            "--balance-classes"
        )
    if len(names) > MAX_CLASSES:
        raise GankitError(
            f"{shown} has {len(names):,} classes{name_tables(tables)}, and --class-labels takes at "
            f"most {MAX_CLASSES:,}: choose some with --classes, or omit it"
        )


def _printable_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each fit for one line, and all different."""
    shown: list[str] = []
    for name in names:
        start = printable(name).strip()[:MAX_LETTERS] or "?"
        unique = start
        number = 2
        while unique in shown:
            ending = f" ({number})"
            unique = start[: MAX_LETTERS - len(ending)] + ending
            number += 1
        shown.append(unique)
    return tuple(shown)


def check_training_classes(classes: ClassLabels, train: Rows) -> list[str]:
    """Notes about classes of few pictures, or of similar names. GankitError if a class has none."""
    counts = Counter(classes.labels[train].tolist())
    few = []
    for number, name in enumerate(classes.names):
        if not counts[number]:
            cure = "add pictures of it, or use a larger --subset or a smaller --holdout"
            which = f"class {quote_value(name)}{name_tables(classes.tables)}"
            raise GankitError(f"{which} has no picture to train on: {cure}")
        if counts[number] < FEW:
            few.append(f"{quote_value(name)} ({counts[number]})")
    notes = _note_spellings(classes.names)
    if few:
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        listed = ", ".join(few[:5])
        what = f"classes with fewer than {FEW} training pictures: {listed}{more}"
        cure = "G can hardly learn them: add pictures, or leave them out with --classes"
        notes.append(f"{what}; {cure}")
    return notes


def _note_spellings(names: Sequence[str]) -> list[str]:
    """A note about classes whose names differ only in case or in spaces, if there are any."""
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        spellings["".join(name.casefold().split())].append(quote_value(name))
    alike = [" and ".join(group) for group in spellings.values() if len(group) > 1]
    if not alike:
        return []
    what = f"classes whose names are nearly alike: {', '.join(alike[:5])}"
    return [f"{what}; if they are one class, write their names alike"]
