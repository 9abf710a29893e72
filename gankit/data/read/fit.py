"""A picture of any size and shape -> the size that G and D work with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from gankit.core.image_size import ImageSize
from gankit.data.messages import NO_PIXELS
from gankit.data.read.decode import to_rgb_or_grey
from gankit.data.read.upright import extent

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the picture
MAX_PATCH_BYTES = 1 << 32  # of all patches of one picture, which are in memory together
LANCZOS = Image.Resampling.LANCZOS


def fit(
    picture: Any,
    size: int | ImageSize,
    channels: int,
    method: str = "crop",
    background: str = "white",
) -> Pixels:
    """One picture as uint8 (size.height, size.width, channels); an int is the side of a square.

    `picture` is a PIL image of any mode or an array (H, W) or (H, W, C). `method` is `crop` for the
    largest part of this shape, in the middle; `pad` for the whole picture on the background; or
    `stretch` for the whole picture, squeezed into this shape.
    """
    size = ImageSize.of(size)
    image = FIT_METHODS[method](_to_image(picture, channels, background), size, background)
    return np.asarray(image).reshape(size.height, size.width, channels)


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


def _crop(image: Image.Image, size: ImageSize, background: str) -> Image.Image:
    left, top, right, bottom = extent(image)
    # As wide as `size` says for the whole height, or as high as it says for the whole width.
    width = min(right - left, (bottom - top) * (size.width / size.height))
    height = min(bottom - top, (right - left) * (size.height / size.width))
    left = (left + right - width) / 2
    top = (top + bottom - height) / 2
    return image.resize((size.width, size.height), LANCZOS, (left, top, left + width, top + height))


def _pad(image: Image.Image, size: ImageSize, background: str) -> Image.Image:
    left, top, right, bottom = extent(image)
    scale = min(size.width / (right - left), size.height / (bottom - top))
    width = round(scale * (right - left)) or 1
    height = round(scale * (bottom - top)) or 1
    colour = ImageColor.getcolor(background, image.mode)
    canvas = Image.new(image.mode, (size.width, size.height), colour)
    resized = image.resize((width, height), LANCZOS, (left, top, right, bottom))
    canvas.paste(resized, ((size.width - width) // 2, (size.height - height) // 2))
    return canvas


def _stretch(image: Image.Image, size: ImageSize, background: str) -> Image.Image:
    return image.resize((size.width, size.height), LANCZOS, extent(image))


FIT_METHODS = {"crop": _crop, "pad": _pad, "stretch": _stretch}


def cut_patches(
    picture: Any,
    size: int | ImageSize,
    channels: int,
    patch_size: int | ImageSize,
    stride: int,
) -> Iterator[tuple[Pixels, Box]]:
    """Parts of `patch_size` every `stride` pixels, each resized to `size`, with its box.

    If at least half a patch remains at the right or the lower border, it gets a patch of its own,
    aligned to the border. Raises ValueError if the picture is smaller than a patch.
    """
    size = ImageSize.of(size)
    patch = ImageSize.of(patch_size)
    pixels = np.asarray(_to_image(picture, channels, "white"))
    height, width = pixels.shape[:2]
    if height < patch.height or width < patch.width:
        raise ValueError(f"is {width}x{height}, smaller than a patch of {patch.setting} pixels")
    tops = _patch_starts(height, patch.height, stride)
    lefts = _patch_starts(width, patch.width, stride)
    count = len(tops) * len(lefts)
    if count * size.area * channels > MAX_PATCH_BYTES:
        raise ValueError(f"makes {count:,} patches, which are too many: use a larger stride")
    for top in tops:
        for left in lefts:
            right = left + patch.width
            bottom = top + patch.height
            yield fit(pixels[top:bottom, left:right], size, channels), (left, top, right, bottom)


def _patch_starts(length: int, patch_size: int, stride: int) -> list[int]:
    """Where the patches along one side of the picture start."""
    starts = list(range(0, length - patch_size + 1, stride))
    remainder = length - (starts[-1] + patch_size)
    if remainder >= patch_size / 2:
        starts.append(length - patch_size)
    return starts
