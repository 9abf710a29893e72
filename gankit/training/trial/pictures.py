"""What a data set must be: a sequence of pictures, each of a type that gankit reads."""

from typing import Any

import numpy as np
from PIL import Image


def require_sequence(pictures: object) -> None:
    """ValueError unless a data set has a length and items."""
    if not hasattr(pictures, "__len__") or not hasattr(pictures, "__getitem__"):
        raise ValueError("is not a sequence of pictures: define __len__ and __getitem__")


def require_picture(index: int, picture: Any) -> None:
    """ValueError unless a picture has a type, shape and dtype that gankit reads."""
    if isinstance(picture, tuple):  # a picture and its class
        picture = picture[0]
    if isinstance(picture, Image.Image):
        return
    actual = type(picture).__name__
    if isinstance(picture, np.ndarray):
        is_grey = picture.ndim == 2
        if picture.dtype == np.uint8 and (is_grey or _is_colour(picture)):
            return
        actual = f"{picture.dtype} array {picture.shape}"
    expected = "a PIL image or a uint8 array (H, W), (H, W, 3) or (H, W, 4)"
    raise ValueError(f"picture {index} is a {actual}; expected {expected}")


def _is_colour(pixels: np.ndarray[Any, Any]) -> bool:
    return pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4)
