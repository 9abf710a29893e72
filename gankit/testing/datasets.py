"""The contract of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from typing import Any

import numpy as np
from PIL import Image

from gankit.testing.bench import Bench

SIZE = 16


def check(bench: Bench, data: Sequence[str], channels: Iterable[int]) -> None:
    for number_of_channels in channels:
        for contract in (is_a_sequence_of_pictures, is_the_same_each_time):
            bench.keep_to(contract, tuple(data), number_of_channels)


def _build(bench: Bench, data: tuple[str, ...], channels: int) -> Any:
    """The data set, which may be anything as long as nobody has looked at it."""
    paths = {"data": data} if data else {}
    return bench.make(image_size=SIZE, channels=channels, **paths)


def _some_indices(pictures: Sized) -> list[int]:
    """The first, the last, and one or two between."""
    return sorted({0, 1 % len(pictures), len(pictures) // 2, len(pictures) - 1})


def is_a_sequence_of_pictures(bench: Bench, data: tuple[str, ...], channels: int) -> None:
    """it is a sequence of pictures"""
    pictures = _build(bench, data, channels)
    if not hasattr(pictures, "__len__") or not hasattr(pictures, "__getitem__"):
        raise ValueError("is no sequence: give it __len__ and __getitem__")
    if len(pictures) < 1:
        raise ValueError("has no pictures")
    for index in _some_indices(pictures):
        try:
            picture = pictures[index]
        except Exception as error:
            what = f"cannot give picture {index} of {len(pictures)}: {type(error).__name__}"
            raise ValueError(f"{what}: {error}") from error
        is_a_picture(index, picture)
        _pixels(picture)  # a lazy one may be broken


def is_a_picture(index: int, picture: Any) -> None:
    """ValueError where the picture is of a kind that nobody can read."""
    picture = picture[0] if isinstance(picture, tuple) else picture  # with its class
    if not isinstance(picture, Image.Image):
        what = type(picture).__name__
        if isinstance(picture, np.ndarray):
            what = f"array {picture.shape} of {picture.dtype}"
        grey_or_colour = isinstance(picture, np.ndarray) and (
            picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] in (1, 3, 4))
        )
        if not grey_or_colour or picture.dtype != np.uint8:
            wanted = "a PIL image or a uint8 array (H, W) or (H, W, 3)"
            raise ValueError(f"gives for picture {index} a {what}; wanted is {wanted}")


def is_the_same_each_time(bench: Bench, data: tuple[str, ...], channels: int) -> None:
    """it gives the same pictures each time"""
    pictures = _build(bench, data, channels)
    again = _build(bench, data, channels)
    if len(pictures) != len(again):
        raise ValueError(f"has {len(pictures)} pictures, and {len(again)} when made once more")
    for index in _some_indices(pictures):
        first = _pixels(pictures[index])
        later = [_pixels(dataset[index]) for dataset in (pictures, again)]
        if not all(np.array_equal(first, pixels) for pixels in later):
            raise ValueError(f"gives another picture {index} when asked again: draw from the index")
    if hasattr(pictures, "batch"):
        indices = _some_indices(pictures)
        for index, picture in zip(indices, pictures.batch(indices), strict=True):
            if not np.array_equal(_pixels(picture), _pixels(pictures[index])):
                raise ValueError(f"gives another picture {index} in batch() than alone")
    fingerprints = [getattr(dataset, "fingerprint", "") for dataset in (pictures, again)]
    if not isinstance(fingerprints[0], str) or fingerprints[0] != fingerprints[1]:
        rule = "it is a text, equal where the pictures are"
        raise ValueError(f"has fingerprints {fingerprints}: {rule}")


def _pixels(picture: Any) -> np.ndarray[Any, Any]:
    """The numbers of a picture; torchvision's data sets give it with its class."""
    return np.asarray(picture[0] if isinstance(picture, tuple) else picture)
