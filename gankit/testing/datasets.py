"""The contract of a data set."""

import numpy as np
from PIL import Image

SIZE = 16


def check(bench, data, channels):
    for of in channels:
        for contract in (is_a_sequence_of_pictures, is_the_same_each_time):
            bench.keep_to(contract, tuple(map(str, data)), of)


def _made(bench, data, channels):
    given = {"data": data} if data else {}
    return bench.make(image_size=SIZE, channels=channels, **given)


def _places(pictures):
    """Some indices: the first, the last, and between."""
    return sorted({0, 1 % len(pictures), len(pictures) // 2, len(pictures) - 1})


def is_a_sequence_of_pictures(bench, data, channels):
    """it is a sequence of pictures"""
    pictures = _made(bench, data, channels)
    if not hasattr(pictures, "__len__") or not hasattr(pictures, "__getitem__"):
        raise ValueError("is no sequence: give it __len__ and __getitem__")
    if len(pictures) < 1:
        raise ValueError("has no pictures")
    for index in _places(pictures):
        try:
            picture = pictures[index]
        except Exception as error:
            what = f"cannot give picture {index} of {len(pictures)}: {type(error).__name__}"
            raise ValueError(f"{what}: {error}") from error
        is_a_picture(index, picture)
        _pixels(picture)  # a lazy one may be broken


def is_a_picture(index, picture):
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


def is_the_same_each_time(bench, data, channels):
    """it gives the same pictures each time"""
    pictures, again = (_made(bench, data, channels) for _ in range(2))
    if len(pictures) != len(again):
        raise ValueError(f"has {len(pictures)} pictures, and {len(again)} when made once more")
    for index in _places(pictures):
        first, *others = (_pixels(ds[index]) for ds in (pictures, pictures, again))
        if not all(np.array_equal(first, other) for other in others):
            raise ValueError(f"gives another picture {index} when asked again: draw from the index")
    if hasattr(pictures, "batch"):
        places = _places(pictures)
        for index, picture in zip(places, pictures.batch(places), strict=True):
            if not np.array_equal(_pixels(picture), _pixels(pictures[index])):
                raise ValueError(f"gives another picture {index} in batch() than alone")
    prints = [getattr(ds, "fingerprint", "") for ds in (pictures, again)]
    if not isinstance(prints[0], str) or prints[0] != prints[1]:
        raise ValueError(f"has fingerprints {prints}: it is a text, equal where the pictures are")


def _pixels(picture):
    return np.asarray(picture[0] if isinstance(picture, tuple) else picture)
