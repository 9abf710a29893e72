"""A picture of any size and shape -> the square that G and D work with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from gankit.data.messages import NO_PIXELS
from gankit.data.read.decode import to_rgb_or_grey
from gankit.data.read.upright import extent

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the picture
MAX_PATCH_BYTES = 1 << 32  # of all patches of one picture, which are in memory together
LANCZOS = Image.Resampling.LANCZOS


def fit(
    picture: Any, size: int, channels: int, method: str = "crop", background: str = "white"
) -> Pixels:
    """One picture as uint8 (size, size, channels).

    `picture` is a PIL image of any mode or an array (H, W) or (H, W, C). `method` is `crop` for the
    middle square, `pad` for the whole picture on the background, or `stretch` for the whole picture
    squeezed into the square.
    """
    image = FIT_METHODS[method](_to_image(picture, channels, background), size, background)
    return np.asarray(image).reshape(size, size, channels)


def _to_image(picture: Any, channels: int, background: str) -> Image.Image:
    """The picture as a PIL image of one or three channels; colour becomes grey by its luma."""
    if isinstance(picture, tuple):  # torchvision's data sets return (image, class)
        picture = picture[0]
    if not isinstance(picture, Image.Image):
        has_one_channel = picture.shape[2:] == (1,)
        picture = Image.fromarray(picture[:, :, 0] if has_one_channel else picture)
    if not picture.width * picture.height:
        raise ValueError(NO_PIXELS)
    mode = "L" if channels == 1 else "RGB"
    if picture.mode not in ("L", "RGB"):
        picture = to_rgb_or_grey(picture, background)
    image: Image.Image = picture if picture.mode == mode else picture.convert(mode)
    return image


def _crop(image: Image.Image, size: int, background: str) -> Image.Image:
    left, top, right, bottom = extent(image)
    side = min(right - left, bottom - top)
    left = (left + right - side) / 2
    top = (top + bottom - side) / 2
    return image.resize((size, size), LANCZOS, (left, top, left + side, top + side))


def _pad(image: Image.Image, size: int, background: str) -> Image.Image:
    left, top, right, bottom = extent(image)
    scale = size / max(right - left, bottom - top)
    width = round(scale * (right - left)) or 1
    height = round(scale * (bottom - top)) or 1
    square = Image.new(image.mode, (size, size), ImageColor.getcolor(background, image.mode))
    resized = image.resize((width, height), LANCZOS, (left, top, right, bottom))
    square.paste(resized, ((size - width) // 2, (size - height) // 2))
    return square


def _stretch(image: Image.Image, size: int, background: str) -> Image.Image:
    return image.resize((size, size), LANCZOS, extent(image))


FIT_METHODS = {"crop": _crop, "pad": _pad, "stretch": _stretch}


def cut_patches(
    picture: Any, size: int, channels: int, patch_size: int, stride: int
) -> Iterator[tuple[Pixels, Box]]:
    """Squares of `patch_size` pixels every `stride` pixels, each resized to `size`, with its box.

    If at least half a patch remains at the right or the lower border, it gets a patch of its own,
    aligned to the border. Raises ValueError if the picture is smaller than a patch.
    """
    pixels = np.asarray(_to_image(picture, channels, "white"))
    height, width = pixels.shape[:2]
    if min(height, width) < patch_size:
        raise ValueError(f"is {width}x{height}, smaller than a patch of {patch_size} pixels")
    tops = _patch_starts(height, patch_size, stride)
    lefts = _patch_starts(width, patch_size, stride)
    count = len(tops) * len(lefts)
    if count * size * size * channels > MAX_PATCH_BYTES:
        raise ValueError(f"makes {count:,} patches, which are too many: use a larger stride")
    for top in tops:
        for left in lefts:
            right = left + patch_size
            bottom = top + patch_size
            yield fit(pixels[top:bottom, left:right], size, channels), (left, top, right, bottom)


def _patch_starts(length: int, patch_size: int, stride: int) -> list[int]:
    """Where the patches along one side of the picture start."""
    starts = list(range(0, length - patch_size + 1, stride))
    remainder = length - (starts[-1] + patch_size)
    if remainder >= patch_size / 2:
        starts.append(length - patch_size)
    return starts
