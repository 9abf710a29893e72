"""Checks of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from gankit.core.errors import quote_value
from gankit.data.store.prepared_pictures import own_fingerprint
from gankit.testing.harness import Harness, open_harness
from gankit.training.trial.pictures import require_picture, require_sequence

if TYPE_CHECKING:
    from gankit.training.settings.compose import Dataset

SIZE = 16
MAX_READ = 200  # pictures, to see that they can be read


def check_dataset(
    part: Dataset,
    *,
    plugin: object | None = None,
    data: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    channels: Iterable[int] = (1, 3),
) -> None:
    """It is a sequence of pictures, which are the same each time.

    data: files and folders, for a data set that reads them.
    channels: 1 for grey and 3 for colour pictures; all of them are tried.
    """
    paths = [data] if isinstance(data, str | PathLike) else data
    texts = tuple(str(path) for path in paths)
    with open_harness("dataset", part, plugin, {}) as harness:
        for channel_count in channels:
            for contract in (check_pictures, check_repeatable, check_attributes):
                harness.check(contract, texts, channel_count)


def _build(harness: Harness, data: tuple[str, ...], channels: int) -> Any:
    """Build the data set, which may be of any type."""
    paths = {"data": data} if data else {}
    return harness.make(image_size=SIZE, channels=channels, **paths)


def _sample_indices(pictures: Sized) -> list[int]:
    """The first, the last, and one or two others."""
    return sorted({0, 1 % len(pictures), len(pictures) // 2, len(pictures) - 1})


def check_pictures(harness: Harness, data: tuple[str, ...], channels: int) -> None:
    """it is a sequence of pictures"""
    pictures = _build(harness, data, channels)
    require_sequence(pictures)
    if len(pictures) < 1:
        raise ValueError("has no pictures")
    for index in np.unique(np.linspace(0, len(pictures) - 1, MAX_READ).astype(int)).tolist():
        try:
            picture = pictures[index]
        except Exception as error:
            which = f"picture {index} of {len(pictures)}"
            what = f"{which} raises {type(error).__name__}: {error}"
            raise ValueError(what) from error
        require_picture(index, picture)
        _pixels(picture)  # a lazily read picture may be broken


def check_repeatable(harness: Harness, data: tuple[str, ...], channels: int) -> None:
    """it gives the same pictures each time"""
    pictures = _build(harness, data, channels)
    rebuilt = _build(harness, data, channels)
    length = len(pictures)
    rebuilt_length = len(rebuilt)
    if length != rebuilt_length:
        raise ValueError(f"has {length} pictures, but {rebuilt_length} when it is built again")
    for index in _sample_indices(pictures):
        first = _pixels(pictures[index])
        later = [_pixels(dataset[index]) for dataset in (pictures, rebuilt)]
        if not all(np.array_equal(first, pixels) for pixels in later):
            advice = "seed random draws with the index"
            raise ValueError(f"picture {index} differs when it is read again: {advice}")
    if hasattr(pictures, "batch"):
        indices = _sample_indices(pictures)
        for index, picture in zip(indices, pictures.batch(indices), strict=True):
            if not np.array_equal(_pixels(picture), _pixels(pictures[index])):
                raise ValueError(f"picture {index} of batch() differs from that of __getitem__")
    fingerprints = [own_fingerprint(dataset) for dataset in (pictures, rebuilt)]
    if not isinstance(fingerprints[0], str) or fingerprints[0] != fingerprints[1]:
        advice = "return the same text for the same pictures"
        raise ValueError(f"fingerprint is {fingerprints[0]!r}, then {fingerprints[1]!r}: {advice}")


def check_attributes(harness: Harness, data: tuple[str, ...], channels: int) -> None:
    """its optional attributes are of the types that gankit reads"""
    pictures = _build(harness, data, channels)
    classes = getattr(pictures, "classes", None)
    if classes is not None:
        _require_texts("classes", classes)
        if len(classes) != len(pictures):
            count = f"{len(classes)} names of classes for {len(pictures)} pictures"
            raise ValueError(f"has {count}: classes needs one for each picture")
    for name in ("class_names", "notes"):
        _require_texts(name, getattr(pictures, name, ()))
    for index in _sample_indices(pictures) if hasattr(pictures, "where") else ():
        region = pictures.where(index)
        if not _is_region(region):
            expected = "expected whole numbers (top, left, bottom, right)"
            raise ValueError(f"where({index}) returns {quote_value(region)}; {expected}")


def _require_texts(name: str, value: Any) -> None:
    """ValueError unless it is a list of texts."""
    is_list = (
        isinstance(value, Iterable) and isinstance(value, Sized) and not isinstance(value, str)
    )
    if not is_list or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} is {quote_value(value)}; expected a list of texts")


def _is_region(region: Any) -> bool:
    """Whether it is (top, left, bottom, right), of a region that is not empty."""
    if not isinstance(region, tuple | list) or len(region) != 4:
        return False
    are_whole = all(isinstance(side, Integral) for side in region)
    return are_whole and region[0] < region[2] and region[1] < region[3]


def _pixels(picture: Any) -> np.ndarray[Any, Any]:
    """The pixels of a picture; data sets of torchvision return a tuple of picture and class."""
    return np.asarray(picture[0] if isinstance(picture, tuple) else picture)
