"""A picture of any size and shape -> the square that G and D work with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from gankit.core.errors import did_you_mean
from gankit.data.read.decode import extent, opaque

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the picture
COLOUR = 16  # channels that differ by more than this are a colour; JPEG's rounding is less
LANCZOS = Image.Resampling.LANCZOS


def fit(
    picture: Any, size: int, channels: int, how: str = "crop", background: str = "white"
) -> Pixels:
    """One picture as uint8 (size, size, channels).

    `crop` takes the middle square, `pad` the whole picture on the background, `stretch` the whole
    picture out of shape. `picture` is a PIL image of any mode or an array (H, W) or (H, W, C).
    """
    if how not in HOWS:
        raise ValueError(f"there is no way {how!r} to fit a picture.{did_you_mean(how, HOWS)}")
    image = HOWS[how](_image(picture, channels, background), size, background)
    return np.asarray(image).reshape(size, size, channels)


def _image(picture: Any, channels: int, background: str) -> Image.Image:
    """As a PIL image of one or three channels; a colour becomes grey by its luma."""
    picture = picture[0] if isinstance(picture, tuple) else picture  # torchvision: (image, class)
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture[:, :, 0] if picture.shape[2:] == (1,) else picture)
    if not picture.width * picture.height:
        raise ValueError("has no pixels")
    mode = "L" if channels == 1 else "RGB"
    if picture.mode not in ("L", "RGB"):
        picture = opaque(picture, background)
    image: Image.Image = picture if picture.mode == mode else picture.convert(mode)
    return image


def _crop(image: Image.Image, size: int, background: str) -> Image.Image:
    left, top, right, bottom = extent(image)
    side = min(right - left, bottom - top)
    left, top = (left + right - side) / 2, (top + bottom - side) / 2
    return image.resize((size, size), LANCZOS, (left, top, left + side, top + side))


def _pad(image: Image.Image, size: int, background: str) -> Image.Image:
    left, top, right, bottom = extent(image)
    scale = size / max(right - left, bottom - top)
    width, height = round(scale * (right - left)) or 1, round(scale * (bottom - top)) or 1
    square = Image.new(image.mode, (size, size), ImageColor.getcolor(background, image.mode))
    whole = image.resize((width, height), LANCZOS, (left, top, right, bottom))
    square.paste(whole, ((size - width) // 2, (size - height) // 2))
    return square


def _stretch(image: Image.Image, size: int, background: str) -> Image.Image:
    return image.resize((size, size), LANCZOS, extent(image))


HOWS = {"crop": _crop, "pad": _pad, "stretch": _stretch}


def tiles(
    picture: Any, size: int, channels: int, tile: int, stride: int
) -> Iterator[tuple[Pixels, Box]]:
    """The patches of a large picture: squares of `tile` pixels every `stride`, each at `size`.

    What remains at the right and lower border gets a patch of its own, aligned to the border, if
    it is at least half a tile. Each patch comes with where it was cut.
    """
    if tile < 1 or stride < 1:
        raise ValueError(f"tiles of {tile} pixels every {stride}: both must be 1 or more")
    pixels = np.asarray(_image(picture, channels, "white"))
    height, width = pixels.shape[:2]
    if min(height, width) < tile:
        raise ValueError(f"is {width}x{height}, smaller than a patch of {tile} pixels")
    for top in _starts(height, tile, stride):
        for left in _starts(width, tile, stride):
            right, bottom = left + tile, top + tile
            yield fit(pixels[top:bottom, left:right], size, channels), (left, top, right, bottom)


def _starts(length: int, tile: int, stride: int) -> list[int]:
    """Where the patches along one side begin."""
    starts = list(range(0, length - tile + 1, stride))
    remainder = length - (starts[-1] + tile)
    return starts + [length - tile] * (remainder >= tile / 2)
