"""A picture of any size and shape -> the size that G and D work with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from gankit.core.run.image_size import ImageSize
from gankit.data.alpha import ALPHA
from gankit.data.messages import NO_PIXELS
from gankit.data.read.decode import to_rgb_or_grey
from gankit.data.read.upright import extent

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Filter = Image.Resampling
Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the picture
MAX_PATCH_BYTES = 1 << 32  # of all patches of one picture, which are in memory together
MODES = {1: "L", 3: "RGB", ALPHA: "RGBa"}  # Pillow's name of the pixels; RGBa is premultiplied
FILTERS = {"lanczos": Image.Resampling.LANCZOS, "nearest": Image.Resampling.NEAREST}


def fit(
    picture: Any,
    size: int | ImageSize,
    channels: int,
    method: str = "crop",
    background: str = "white",
    resample: str = "lanczos",
) -> Pixels:
    """One picture as uint8 (size.height, size.width, channels); an int is the side of a square.

    Four channels are premultiplied RGBA.

    `picture` is a PIL image of any mode or an array (H, W) or (H, W, C). `method` is `crop` for the
    largest part of this shape, in the middle; `pad` for the whole picture on the background; or
    `stretch` for the whole picture, squeezed into this shape. `resample` is `lanczos`, or
    `nearest`, which makes no new colours, and with which `pad` enlarges by whole numbers only.
    """
    size = ImageSize.of(size)
    image = _to_image(picture, channels, background)
    fitted = FIT_METHODS[method](image, size, background, FILTERS[resample])
    pixels: Pixels = np.asarray(fitted).reshape(size.height, size.width, channels)
    if channels == ALPHA:  # Lanczos overshoots: no more colour than alpha allows
        pixels = np.minimum(pixels, pixels[..., 3:])
    return pixels


def _to_image(picture: Any, channels: int, background: str) -> Image.Image:
    """The picture as a PIL image with this number of channels; colour becomes grey by its luma."""
    if isinstance(picture, tuple):  # torchvision's data sets return (image, class)
        picture = picture[0]
    if not isinstance(picture, Image.Image):
        has_one_channel = picture.shape[2:] == (1,)
        picture = Image.fromarray(picture[:, :, 0] if has_one_channel else picture)
    if not picture.width * picture.height:
        raise ValueError(NO_PIXELS)
    mode = MODES[channels]
    if picture.mode not in ("L", "RGB", mode):
        picture = to_rgb_or_grey(picture, None if channels == ALPHA else background)
    if channels == ALPHA and picture.mode in ("L", "RGB"):
        picture = picture.convert("RGBA")  # which is all that Pillow premultiplies
    image: Image.Image = picture if picture.mode == mode else picture.convert(mode)
    return image


def _crop(image: Image.Image, size: ImageSize, background: str, resampling: Filter) -> Image.Image:
    left, top, right, bottom = extent(image)
    # As wide as `size` says for the whole height, or as high as it says for the whole width.
    width = min(right - left, (bottom - top) * (size.width / size.height))
    height = min(bottom - top, (right - left) * (size.height / size.width))
    left = (left + right - width) / 2
    top = (top + bottom - height) / 2
    box = (left, top, left + width, top + height)
    return image.resize((size.width, size.height), resampling, box)


def _pad(image: Image.Image, size: ImageSize, background: str, resampling: Filter) -> Image.Image:
    left, top, right, bottom = extent(image)
    scale = min(size.width / (right - left), size.height / (bottom - top))
    if resampling == Filter.NEAREST and scale > 1:
        scale = int(scale)  # so that each pixel of the picture becomes a square
    width = round(scale * (right - left)) or 1
    height = round(scale * (bottom - top)) or 1
    is_transparent = image.mode == "RGBa"
    colour = 0 if is_transparent else ImageColor.getcolor(background, image.mode)
    canvas = Image.new(image.mode, (size.width, size.height), colour)
    resized = image.resize((width, height), resampling, (left, top, right, bottom))
    canvas.paste(resized, ((size.width - width) // 2, (size.height - height) // 2))
    return canvas


def _stretch(
    image: Image.Image, size: ImageSize, background: str, resampling: Filter
) -> Image.Image:
    return image.resize((size.width, size.height), resampling, extent(image))


FIT_METHODS = {"crop": _crop, "pad": _pad, "stretch": _stretch}


def cut_patches(
    picture: Any,
    size: int | ImageSize,
    channels: int,
    patch_size: int | ImageSize,
    stride: int,
    resample: str = "lanczos",
) -> Iterator[tuple[Pixels, Box]]:
    """Parts of `patch_size` every `stride` pixels, each resized to `size`, with its box.

    If at least half a patch remains at the right or the lower border, it gets a patch of its own,
    aligned to the border. Raises ValueError if the picture is smaller than a patch.
    """
    size = ImageSize.of(size)
    patch = ImageSize.of(patch_size)
    image = _to_image(picture, channels, "white")
    width, height = image.size
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
            box = (left, top, right, bottom)
            yield fit(image.crop(box), size, channels, resample=resample), box


def _patch_starts(length: int, patch_size: int, stride: int) -> list[int]:
    """Where the patches along one side of the picture start."""
    starts = list(range(0, length - patch_size + 1, stride))
    remainder = length - (starts[-1] + patch_size)
    if remainder >= patch_size / 2:
        starts.append(length - patch_size)
    return starts
