"""Pictures in a terminal: half blocks, whose upper and lower half are two pixels in two colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

from gankit.core.run.image_size import ImageSize
from gankit.data.alpha import on_checkerboard
from gankit.runs.images import Frame

BLOCK = "▀"
MIN_SIDE = 18  # px: in smaller pictures one hardly sees a flower
MIN_LINES = 6  # of a terminal, for a picture
ROW_LINES = 9  # of a row of pictures
MAX_CELLS = 2000  # characters that are drawn at once; more would take longer than 30 ms
CUBE = (0, 95, 135, 175, 215, 255)  # the values of red, green and blue among 256 colours
GREYS = 24  # further colours, after the 16 of the terminal and the 216 of the cube
NEARLY_GREY = 12  # the difference between the largest and the smallest of red, green and blue


class Layout(NamedTuple):
    """How pictures are arranged in a terminal."""

    width: int  # px of a picture, which are columns of the terminal; even
    height: int  # px, of which a line shows two; even
    columns: int
    rows: int


def can_draw(console: Console) -> bool:
    """Whether half blocks can be drawn: not in a pipe, without colours or in another encoding."""
    try:
        BLOCK.encode(console.encoding)
    except (UnicodeError, LookupError):
        return False
    has_colours = console.color_system in ("truecolor", "256") and not console.no_color
    return console.is_terminal and has_colours


def choose_layout(count: int, size: ImageSize, width: int, lines: int) -> Layout | None:
    """The largest pictures of which `count` fit into `width` columns and `lines` lines.

    If they would be too small, fewer pictures that are large enough; None if there is no room.
    """
    room = min(size.longer, width * size.longer / size.width, 2 * lines * size.longer / size.height)
    largest = int(room) // 2 * 2  # px of the longer side
    if lines < MIN_LINES or largest < 2:
        return None
    smallest = min(MIN_SIDE, largest)
    for longer in range(largest, smallest - 1, -2):
        cell = _shrink(size, longer)
        most = max(1, MAX_CELLS // (cell.area // 2))  # pictures
        columns = min((width + 1) // (cell.width + 1), count, most)
        rows = min((lines + 1) // (cell.height // 2 + 1), -(-count // columns), most // columns)
        if columns * rows >= count:
            break
    return Layout(cell.width, cell.height, columns, rows)


def _shrink(size: ImageSize, longer: int) -> ImageSize:
    """The size with a longer side of `longer` pixels, of even sides."""
    scale = longer / size.longer
    width, height = (max(2, int(side * scale) // 2 * 2) for side in (size.width, size.height))
    return ImageSize(width, height)


class HalfBlocks:
    """Pictures in rows, as rich draws them: as many of `frames` (N, H, W, 3) as the layout has.

    Frames may be RGBA, (N, H, W, 4).
    """

    def __init__(self, frames: NDArray[np.uint8], layout: Layout, console: Console) -> None:
        columns = layout.columns
        rows = layout.rows
        has_all_colours = console.color_system == "truecolor"
        cells = [
            _to_cells(_resize(frame, layout), has_all_colours) for frame in frames[: columns * rows]
        ]
        self.lines: list[list[Segment]] = []
        for start in range(0, len(cells), columns):
            if start:
                self.lines.append([])
            for parts in zip(*cells[start : start + columns], strict=True):
                self.lines.append([segment for part in parts for segment in (*part, Segment(" "))])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in self.lines:
            yield from line[:-1]
            yield Segment.line()


class PictureRow:
    """A row of pictures; they are drawn anew only if they or the room for them change."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.frames = np.zeros((0, 1, 1, 3), np.uint8)
        self.drawing: HalfBlocks | None = None
        self.layout: Layout | None = None  # of the drawing

    def show(self, frames: NDArray[np.uint8]) -> None:
        """Show other pictures (N, H, W, 3) from now on."""
        self.frames = frames
        self.layout = None

    def fit(self, lines: int) -> HalfBlocks | None:
        """The pictures in one row of at most `lines` lines; None if they cannot be drawn."""
        if not (len(self.frames) and can_draw(self.console)):
            return None
        count, height, width = self.frames.shape[:3]
        layout = choose_layout(
            count, ImageSize(width, height), self.console.width, min(lines, ROW_LINES)
        )
        if layout is None:
            return None
        if layout != self.layout or self.drawing is None:
            self.layout = layout
            self.drawing = HalfBlocks(self.frames, layout, self.console)
        return self.drawing


def _resize(frame: Frame, layout: Layout) -> Frame:
    size = (layout.width, layout.height)
    picture = Image.fromarray(frame).resize(size, Image.Resampling.BOX)
    return np.asarray(on_checkerboard(picture))


def _to_cells(frame: Frame, has_all_colours: bool) -> list[list[Segment]]:
    """The lines of one picture (H, W, 3) of an even height."""
    colours = _all_colours(frame) if has_all_colours else _colours_of_256(frame)
    return [
        [Segment(BLOCK, Style.from_color(*pair)) for pair in zip(upper, lower, strict=True)]
        for upper, lower in zip(colours[::2], colours[1::2], strict=True)
    ]


def _all_colours(frame: Frame) -> list[list[Color]]:
    return [[Color.from_rgb(*pixel) for pixel in row] for row in frame.tolist()]


def _colours_of_256(frame: Frame) -> list[list[Color]]:
    """The nearest of the 256 colours; greys have more shades than the cube of colours."""
    pixels = frame.astype(int)
    levels = np.abs(pixels[..., None] - np.array(CUBE)).argmin(axis=-1)
    numbers = 16 + levels @ np.array([36, 6, 1])
    mean = pixels.mean(axis=-1)
    is_grey = np.ptp(pixels, axis=-1) < NEARLY_GREY
    greys = 232 + ((mean - 8) / 10).round().clip(0, GREYS - 1).astype(int)
    numbers = np.where(is_grey & (mean > 3) & (mean < 247), greys, numbers)
    return [[Color.from_ansi(number) for number in row] for row in numbers.tolist()]
