"""Write pictures as a video."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from gankit.core.errors import GankitError


def write_video(frames: Iterable[Image.Image], path: Path, fps: int = 12) -> None:
    """Write PIL images as .mp4 (H.264), .webp or .gif, depending on the ending of `path`.

    A large gif gets half the size and 64 colours; else it would be ten times as large as an mp4.
    GankitError for another ending.
    """
    pictures = [frame.convert("RGB") for frame in frames]
    if path.suffix == ".gif" and pictures[0].width > 256:
        half = (pictures[0].width // 2, pictures[0].height // 2)
        pictures = [picture.resize(half).quantize(64) for picture in pictures]
    if path.suffix in (".webp", ".gif"):
        first, *rest = pictures
        first.save(path, save_all=True, append_images=rest, duration=1000 // fps, loop=0)
    elif path.suffix == ".mp4":
        _write_mp4(pictures, path, fps)
    else:
        raise GankitError(f"{path.name} is not a video: its name must end in .mp4, .webp or .gif")


def _write_mp4(pictures: list[Image.Image], path: Path, fps: int) -> None:
    import imageio.v3 as iio

    arrays = [np.asarray(_resize_to_even(picture)) for picture in pictures]
    frames = np.stack(arrays)  # (T, H, W, 3)
    iio.imwrite(
        path, frames, plugin="pyav", codec="libx264", fps=fps,
        out_pixel_format="yuv420p",
    )  # fmt: skip


def _resize_to_even(picture: Image.Image) -> Image.Image:
    """Resize to even sides, because H.264 halves the colour planes."""
    size = (picture.width + picture.width % 2, picture.height + picture.height % 2)
    return picture.resize(size) if size != picture.size else picture
