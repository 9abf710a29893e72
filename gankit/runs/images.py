"""Convert tensors (N, C, H, W) in [-1, 1] to pictures, and write pictures."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gankit.core.files.atomic_write import open_atomically
from gankit.core.run.image_size import ImageSize
from gankit.data.alpha import ALPHA, checkerboard, flatten, on_checkerboard, unpremultiply
from gankit.data.read.decode import to_rgb_or_grey
from gankit.data.read.fit import FILTERS
from gankit.data.read.mark import mark_options
from gankit.runs.provenance import Provenance, to_comment

Frame = NDArray[np.uint8]  # (H, W, 3), or (H, W, 4) of a transparent picture: RGBA
Frames = NDArray[np.uint8]  # (N, H, W, 3) or (N, H, W, 4)
TRANSPARENT_FORMATS = {"AVIF", "GIF", "JPEG2000", "PNG", "TGA", "TIFF", "WEBP"}
NEARLY = 1.5  # times as wide as high, or the other way: a grid that is nearly square
MIN_DIGITS = 10  # px: the height of a number on a small picture


def to_uint8(images: torch.Tensor) -> NDArray[np.uint8]:
    """Convert images to uint8 (N, H, W, C)."""
    pixels = images.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).cpu().numpy()


def from_uint8(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Convert uint8 (N, H, W, C) to images; they are contiguous."""
    tensor = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    return (tensor.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def to_frames(images: torch.Tensor) -> Frames:
    """Convert images to uint8 (N, H, W, 3), to look at: a grey channel is repeated.

    Transparent images, of four channels, lie on a checkerboard.
    """
    if images.shape[1] == ALPHA:
        return flatten(to_uint8(images), checkerboard(*images.shape[2:]))
    return to_uint8(images.expand(-1, 3, -1, -1))


def to_rgb(images: torch.Tensor) -> torch.Tensor:
    """Transparent images (N, 4, H, W) on a checkerboard, (N, 3, H, W); others as they are."""
    if images.shape[1] != ALPHA:
        return images
    return from_uint8(to_frames(images))


def on_grey(images: torch.Tensor) -> torch.Tensor:
    """Transparent images (N, 4, H, W) on a middle grey, (N, 3, H, W); others as they are.

    Gradients flow through it.
    """
    return images[:, :3] + (1 - images[:, 3:]) / 2 if images.shape[1] == ALPHA else images


def to_pictures(images: torch.Tensor) -> Frames:
    """Convert images to what a file holds: as `to_frames`, but transparent ones become RGBA."""
    return unpremultiply(to_uint8(images)) if images.shape[1] == ALPHA else to_frames(images)


def to_grid(images: torch.Tensor, columns: int = 0, gap: int = 2) -> Image.Image:
    """Arrange images row by row in one picture; nearly square if `columns` is 0."""
    return arrange(to_pictures(images), columns, gap)


def arrange(
    frames: NDArray[np.uint8],
    columns: int = 0,
    gap: int = 2,
    *,
    size: int = 0,
    numbers: Sequence[int] = (),
    resample: str = "lanczos",
) -> Image.Image:
    """Arrange frames (N, H, W, 3) as `to_grid` does; RGBA (N, H, W, 4) lie on checkerboards.

    `size`: the pixels of each picture's longer side, as in `resize`; the gap grows with it.
    `numbers`: one for each frame, which is written on it.
    """
    height, width = frames.shape[1:3]
    gap = scale_gap(gap, max(height, width), size)
    columns = columns or nearly_square(len(frames), ImageSize(width, height))
    cell = resized(width, height, size)
    grid = Image.new("RGB", grid_size(len(frames), columns, cell, gap), "white")
    for index, frame in enumerate(frames):
        picture = on_checkerboard(resize(Image.fromarray(frame), size, resample))
        if len(numbers):
            picture = write_number(picture, numbers[index])
        row, column = divmod(index, columns)
        grid.paste(picture, (gap + column * (cell[0] + gap), gap + row * (cell[1] + gap)))
    return grid


def scale_gap(gap: int, side: int, size: int) -> int:
    """The gap between pictures of `side` pixels that are enlarged to `size`; 0: they are not."""
    return round(gap * max(1, size / side))


def resize(picture: Image.Image, size: int, resample: str = "lanczos") -> Image.Image:
    """The picture with a longer side of `size` pixels, by a filter of `--resample`; 0: as it is."""
    if not size or size == max(picture.size):
        return picture
    return picture.resize(resized(*picture.size, size), FILTERS[resample])


def resized(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height of a picture whose longer side becomes `size` pixels; 0: as they are."""
    scale = size / max(width, height) if size else 1
    return max(1, round(width * scale)), max(1, round(height * scale))


def write_number(picture: Image.Image, number: int) -> Image.Image:
    """The picture with a number in its lower left corner, white on black."""
    font = ImageFont.load_default(max(MIN_DIGITS, picture.height // 6))
    numbered = picture.copy()
    draw = ImageDraw.Draw(numbered)
    corner = (0, picture.height)
    x, y, end_x, end_y = draw.textbbox(corner, str(number), font, anchor="lb")
    draw.rectangle((x, y - 2, end_x + 4, end_y), fill="black")
    draw.text((2, picture.height - 1), str(number), "white", font, anchor="lb")
    return numbered


def nearly_square(count: int, size: ImageSize) -> int:
    """The columns of a nearly square grid of `count` pictures of this size.

    Pictures that are not square are arranged without an empty place, if that is nearly square too.
    """
    ideal = math.sqrt(count * size.height / size.width)
    columns = max(1, min(count, math.ceil(ideal)))
    if size.is_square:
        return columns
    full = [number for number in range(1, count + 1) if count % number == 0]
    nearest = min(full, key=lambda number: abs(math.log(number / ideal)))
    return nearest if abs(math.log(nearest / ideal)) <= math.log(NEARLY) else columns


def grid_size(count: int, columns: int, size: tuple[int, int], gap: int = 2) -> tuple[int, int]:
    """Width and height of a grid of `count` pictures of this size (width, height), in pixels."""
    rows = math.ceil(count / columns)
    width, height = size
    return columns * (width + gap) + gap, rows * (height + gap) + gap


def cut_grid(grid: Image.Image, size: int | ImageSize, gap: int = 2) -> NDArray[np.uint8]:
    """The pictures of a grid, row by row: (N, H, W, 3); the inverse of `arrange`.

    Empty if the grid has no whole picture of this size. A white place at its end is a picture.
    """
    pixels = np.asarray(grid.convert("RGB"))
    size = ImageSize.of(size)
    height = size.height
    width = size.width
    corners = [
        (y, x)
        for y in range(gap, pixels.shape[0] - height - gap + 1, height + gap)
        for x in range(gap, pixels.shape[1] - width - gap + 1, width + gap)
    ]
    frames = [pixels[y : y + height, x : x + width] for y, x in corners]
    return np.stack(frames) if frames else np.zeros((0, height, width, 3), np.uint8)


def can_be_transparent(path: str | Path) -> bool:
    """Whether files with the path's ending can hold transparency."""
    ending = Path(path).suffix.lower()
    return Image.registered_extensions().get(ending) in TRANSPARENT_FORMATS


def save_picture(
    picture: Image.Image,
    path: str | Path,
    provenance: Provenance | None = None,
    background: str = "white",
) -> None:
    """Write a picture that gankit drew, in the format of the path's ending, in any case.

    If the format has no transparency, an RGBA picture is written on the background.
    A comment in a png, jpg, gif or webp says so, and where it comes from; `--data` passes over such
    files. An old file is replaced only if that works. Raises OSError, and ValueError for an unknown
    ending.
    """
    path = Path(path)
    file_format = Image.registered_extensions().get(path.suffix.lower())
    if file_format is None:
        raise ValueError(f"there is no picture format {path.suffix!r}")
    if picture.mode == "RGBA" and not can_be_transparent(path):
        picture = to_rgb_or_grey(picture, background)
    with open_atomically(path) as file:
        _write(picture, file, file_format, provenance)


def to_png(picture: Image.Image, provenance: Provenance | None = None) -> bytes:
    """The bytes of a png file of a picture that gankit drew; see `save_picture`."""
    file = io.BytesIO()
    _write(picture, file, "PNG", provenance)
    return file.getvalue()


def _write(
    picture: Image.Image, file: BinaryIO, file_format: str, provenance: Provenance | None
) -> None:
    options = mark_options(file_format, to_comment(provenance))
    picture.save(file, format=file_format, **options)
