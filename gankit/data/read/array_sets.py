"""Which of the arrays that lie together are pictures, and which are the labels of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gankit.data.find.names import array_name, class_name
from gankit.data.messages import count_noun
from gankit.data.read.arrays import TAKES, ArrayFile, describe_layout

WORD = re.compile(r"[a-z]+|\d+")
PICTURE_WORDS = frozenset(
    [
        "image",
        "images",
        "img",
        "imgs",
        "picture",
        "pictures",
        "pic",
        "pics",
        "photo",
        "photos",
        "x",
        "pixels",
        "frames",
        "faces",
    ]
)
LABEL_WORDS = frozenset(
    ["y", "label", "labels", "target", "targets", "class", "classes", "category", "categories"]
)
OTHER_WORDS = LABEL_WORDS | frozenset(
    [
        "mask",
        "masks",
        "seg",
        "segmentation",
        "segmentations",
        "depth",
        "gt",
        "annotation",
        "annotations",
        "bbox",
        "boxes",
        "embedding",
        "embeddings",
        "feature",
        "features",
        "latent",
        "latents",
        "z",
    ]
)
NAME_WORDS = frozenset(["names", "name"])  # of the classes, with a label word
PART_WORDS = frozenset(  # beside the word that says what an array is: x_train, test_images_64
    ["train", "training", "val", "valid", "validation", "dev", "test", "testing", "all", "data"]
)
MAX_CLASSES = 1000
MIN_PER_LABEL = 2  # pictures, on average: else an array without a label word holds no labels
NOT_USED = "is an array beside those of the pictures: to train on it, give it alone with --data"
NO_PICTURES = "holds no pictures: " + TAKES


class NamedArray(NamedTuple):
    """An array, and the name it has in its npz or folder."""

    name: str
    array: ArrayFile

    @property
    def words(self) -> frozenset[str]:
        """`x_train.npy` has the words x and train."""
        return frozenset(WORD.findall(self.name.lower().removesuffix(".npy")))


class PictureArray(NamedTuple):
    """An array of pictures, with a label for each of them, or none."""

    name: str
    array: ArrayFile
    labels: list[str]


class ArraySet(NamedTuple):
    """What was found among arrays that lie together."""

    pictures: list[PictureArray]
    left_out: list[tuple[str, str]]  # name and reason
    notes: list[str]  # for the user


def sort_arrays(arrays: Sequence[NamedArray], place: str) -> ArraySet:
    """The pictures among arrays of one npz or one folder, which `place` names, and their labels.

    With `x_train` and `y_train`, `x_train` has the pictures. Where several arrays could be
    pictures, those with names such as `images` or `x` are.
    """
    chosen = _choose_pictures(arrays)
    names = _class_names(arrays)
    labels = {item.name: _find_labels(item, chosen, arrays) for item in chosen}
    used = {item.name for item in chosen} | {match.name for match in labels.values() if match}
    left_out = []
    for item in arrays:
        if item.name not in used and not (chosen and _is_about_classes(item)):
            is_extra = chosen and item.array.layout is not None
            left_out.append((item.name, NOT_USED if is_extra else _why_no_pictures(item.array)))
    pictures = []
    for item in chosen:
        match = labels[item.name]
        if not match:
            left_out.extend(_wrong_length(item, chosen, arrays))
        texts = _label_texts(match.array, names) if match else []
        pictures.append(PictureArray(item.name, item.array, texts))
    return ArraySet(pictures, left_out, _describe(pictures, place))


def _why_no_pictures(array: ArrayFile) -> str:
    if not all(array.shape):
        return f"is empty: its shape is {array.shape}"
    if array.dtype.kind == "c":
        return "holds complex numbers: save real ones, such as numpy.abs(array)"
    return NO_PICTURES


def _choose_pictures(arrays: Sequence[NamedArray]) -> list[NamedArray]:
    candidates = [item for item in arrays if item.array.layout]
    named = [item for item in candidates if _is_called_pictures(item)]
    others = [item for item in candidates if not item.words & OTHER_WORDS]
    if not named and not others and len(arrays) == 1:
        return candidates  # the only array, whatever its name
    chosen = named or others
    has_sets = any(not item.array.layout.is_single for item in chosen if item.array.layout)
    if has_sets:  # beside them, a table of numbers is not a picture
        chosen = [item for item in chosen if len(item.array.shape) > 2 or _is_set(item)]
    return chosen


def _is_called_pictures(item: NamedArray) -> bool:
    """Whether its name is a word for pictures, as `x_train` is, and `picture frame` is not."""
    others = item.words - PICTURE_WORDS - PART_WORDS
    return bool(item.words & PICTURE_WORDS) and all(word.isdigit() for word in others)


def _is_set(item: NamedArray) -> bool:
    return item.array.layout is not None and not item.array.layout.is_single


def _is_about_classes(item: NamedArray) -> bool:
    """Whether it is a list of labels or names, which need not be named as left out."""
    return len(item.array.shape) <= 1 or bool(item.words & LABEL_WORDS)


def _class_names(arrays: Sequence[NamedArray]) -> list[str]:
    """The names of the classes 0, 1, ... if an array such as `label_names` has them."""
    for item in arrays:
        is_named = item.words & NAME_WORDS and item.words & LABEL_WORDS
        if is_named and item.array.dtype.kind in "US" and len(item.array.shape) == 1:
            return [_as_text(value) for value in item.array.values()[:MAX_CLASSES]]
    return []


def _find_labels(
    pictures: NamedArray, chosen: Sequence[NamedArray], arrays: Sequence[NamedArray]
) -> NamedArray | None:
    """The array with the labels of some pictures: `y_train` for `x_train`, or the only one."""
    layout = pictures.array.layout
    assert layout is not None
    if layout.is_single:
        return None
    fitting = [item for item in arrays if item not in chosen and _may_label(item, layout.pictures)]
    part = pictures.words - PICTURE_WORDS
    for item in fitting:
        if item.words & LABEL_WORDS and item.words - LABEL_WORDS == part:
            return item
    alike = [other for other in chosen if other.array.shape[0] == layout.pictures]
    lists = [item for item in fitting if item.words & LABEL_WORDS or _is_list_of_few(item)]
    return lists[0] if len(lists) == len(alike) == 1 else None


def _is_list_of_few(item: NamedArray) -> bool:
    """Whether it may be a list of labels though its name does not say so."""
    if len(item.array.shape) != 1:
        return False
    return MIN_PER_LABEL * len(np.unique(item.array.values())) <= item.array.shape[0]


def _may_label(item: NamedArray, count: int) -> bool:
    """Whether an array has one label for each of `count` pictures, or a row of zeros and a one."""
    shape = item.array.shape
    is_list = len(shape) == 1 or (len(shape) == 2 and shape[1] <= MAX_CLASSES)
    return is_list and shape[0] == count and item.array.dtype.kind in "biufUS"


def _wrong_length(
    pictures: NamedArray, chosen: Sequence[NamedArray], arrays: Sequence[NamedArray]
) -> list[tuple[str, str]]:
    """The array that is named as the labels of these pictures, but has another length."""
    layout = pictures.array.layout
    assert layout is not None
    if layout.is_single:
        return []
    named = [item for item in arrays if item.words & LABEL_WORDS and not item.words & NAME_WORDS]
    part = pictures.words - PICTURE_WORDS
    own = [item for item in named if item.words - LABEL_WORDS == part]
    if not own and len(named) == len(chosen) == 1:
        own = named
    for item in own:
        length = item.array.shape[0] if item.array.shape else 1
        if length != layout.pictures:
            values = f"{count_noun(length, 'value')} for {count_noun(layout.pictures)}"
            return [(item.name, f"has {values}: to use them as labels, give one for each")]
    return []


def _label_texts(array: ArrayFile, names: list[str]) -> list[str]:
    """The label of each picture; none where they are measurements or there are too many."""
    values: Any = np.asarray(array.values())
    if values.ndim == 2 and values.shape[1] > 1:
        is_one_hot = values.dtype.kind in "biuf" and bool((values.sum(1) == 1).all())
        if not is_one_hot or not ((values == 0) | (values == 1)).all():
            return []
        values = values.argmax(1)
    values = values.reshape(-1)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or (values != values.round()).any():
            return []
        values = values.astype(np.int64)
    distinct = np.unique(values)
    if len(distinct) > MAX_CLASSES:
        return []
    if names and values.dtype.kind in "iu" and distinct[0] >= 0 and distinct[-1] < len(names):
        return [names[value] for value in values]
    return [_as_text(value) for value in values]


def _as_text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return class_name(text.strip())[:100]


def _describe(pictures: Sequence[PictureArray], place: str) -> list[str]:
    """A line for each array of several pictures, and one for all those of a single picture."""
    lines = []
    singles = []
    for item in pictures:
        layout = item.array.layout
        assert layout is not None
        text = describe_layout(layout, item.array.dtype)
        if layout.is_single:
            singles.append(text)
            continue
        labels = f", labels of {count_noun(len(set(item.labels)), 'class')}" if item.labels else ""
        name = array_name(item.name) if place.endswith(".npz") else item.name
        where = f"{place}, {name}" if place and place != item.name else name
        lines.append(f"{where}: {count_noun(layout.pictures)} of {text}{labels}")
    if singles:
        more = "" if len(set(singles)) == 1 else ", and others"
        lines.append(f"{count_noun(len(singles))} in npy files of their own: {singles[0]}{more}")
    return lines
