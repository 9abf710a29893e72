"""Write pictures as a video."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from PIL import Image

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.data.read.mark import mark_options
from gankit.runs.provenance import Provenance, to_comment

log = logging.getLogger("gankit")
ENDINGS = (".mp4", ".webp", ".gif")
MAX_GIF_WIDTH = 256  # pixels
UNITS = {".gif": 10, ".webp": 1}  # ms; a frame is shown for a multiple of it
# Frames per second. Browsers show a frame of 10 ms or less for 100 ms.
MAX_FPS = {".gif": 50, ".webp": 90}
# What an .mp4 says about its colours.
BT_709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709",
          "color_range": "tv"}  # fmt: skip


def write_video(
    frames: Iterable[Image.Image],
    path: str | Path,
    fps: int = 12,
    provenance: Provenance | None = None,
) -> None:
    """Write PIL images of one size as .mp4 (H.264), .webp or .gif, depending on the path's ending.

    A large gif gets half the size and 64 colours; else it would be ten times as large as an mp4.
    The frames of an mp4 are encoded one by one; those of a webp or gif are collected in memory
    first. GankitError for another ending, for more frames a second than the format can show, for
    no frame, or for frames of several sizes.
    """
    path = Path(path)
    ending = path.suffix.lower()
    check_video(path, fps)
    pictures: Iterator[Image.Image] = (frame.convert("RGB") for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise GankitError(f"there is no picture to write into the video {path.name}")
    pictures = _check_size(itertools.chain([first], pictures), first.size)
    options: dict[str, Any] = {"loop": 0}
    if ending == ".gif" and first.width > MAX_GIF_WIDTH:
        log.warning(
            "%s is written with half the size and 64 colours, because it is wider than %d pixels; "
            ".mp4 and .webp keep the size", path.name, MAX_GIF_WIDTH,
        )  # fmt: skip
        half = (first.width // 2, first.height // 2)
        pictures = (picture.resize(half) for picture in pictures)
        options["bits"] = 6  # of a pixel: 64 colours
    if ending == ".mp4":
        write_atomically(path, _encode_mp4(pictures, fps, provenance))
        return
    options |= mark_options(ending[1:].upper(), to_comment(provenance))
    stack = np.stack([np.asarray(picture) for picture in pictures])
    times = durations(len(stack), fps, UNITS[ending])
    options["duration"] = times if len(times) > 1 else times[0]  # Pillow takes no list of one
    content: bytes = iio.imwrite("<bytes>", stack, plugin="pillow", extension=ending, **options)
    write_atomically(path, content)


def check_video(path: Path, fps: int) -> None:
    """GankitError if a video cannot have this name, or cannot show `fps` frames a second."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise GankitError(f"{path.name} is not a video: its name must end in .mp4, .webp or .gif")
    max_fps = MAX_FPS.get(ending, fps)
    if fps > max_fps:
        raise GankitError(
            f"{path.name} would have {fps} frames per second, and browsers show a {ending} "
            f"correctly up to {max_fps}: use --fps {max_fps} or less, or write an .mp4"
        )


def durations(count: int, fps: int, unit: int) -> list[int]:
    """How long each of `count` frames is shown, in ms: multiples of `unit`.

    What rounding one frame adds or takes is made up for by the next ones.
    """
    starts = [round(1000 * number / (fps * unit)) * unit for number in range(count + 1)]
    return [end - start for start, end in itertools.pairwise(starts)]


def _check_size(pictures: Iterable[Image.Image], size: tuple[int, int]) -> Iterator[Image.Image]:
    for picture in pictures:
        if picture.size != size:
            sizes = " and ".join(f"{width} x {height}" for width, height in (size, picture.size))
            raise GankitError(f"the pictures of a video must have the same size, not {sizes}")
        yield picture


def _encode_mp4(pictures: Iterable[Image.Image], fps: int, provenance: Provenance | None) -> bytes:
    """The bytes of an .mp4 that browsers and QuickTime play, in the colours of the pictures.

    The colours are converted by BT.709, and the file says so: players guess BT.601 for small films
    that say nothing. The index is at the start, so that a film in a page plays while it loads.
    """
    import av

    file = io.BytesIO()  # PyAV prints a traceback when it cannot write to a full disk

    def reopen(*_: object) -> _SecondReader:
        return _SecondReader(file)

    with av.open(file, "w", "mp4", options={"movflags": "faststart"}, io_open=reopen) as video:
        video.metadata["comment"] = to_comment(provenance)
        stream = video.add_stream("libx264", rate=fps, options=BT_709)
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(map(_resize_to_even, pictures)):
            if number == 0:
                stream.width, stream.height = picture.size
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), "rgb24").reformat(
                format="yuv420p",
                dst_colorspace="ITU709",
                src_color_range="JPEG",  # 0 to 255
                dst_color_range="MPEG",  # 16 to 235
            )
            frame.pts = number
            frame.time_base = Fraction(1, fps)
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    return file.getvalue()


class _SecondReader:
    """Reads a file that is still being written, at a position of its own.

    When a film is complete, FFmpeg reads it once more, to move its frames behind the index.
    """

    def __init__(self, file: io.BytesIO) -> None:
        self.file = file
        self.position = 0

    def read(self, size: int) -> bytes:
        content = bytes(self.file.getbuffer()[self.position : self.position + size])
        self.position += len(content)
        return content

    def close(self) -> None:
        """Nothing: the file itself is still written."""


def _resize_to_even(picture: Image.Image) -> Image.Image:
    """Resize to even sides, because H.264 halves the colour planes."""
    size = (picture.width + picture.width % 2, picture.height + picture.height % 2)
    return picture.resize(size) if size != picture.size else picture
