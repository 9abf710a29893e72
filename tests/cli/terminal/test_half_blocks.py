"""Pictures in half blocks: each pixel has its colour, in terminals that can show it."""

import io
import re

import numpy as np
import pytest

from gankit.cli.terminal.half_blocks import (
    BLOCK,
    MAX_CELLS,
    HalfBlocks,
    PictureRow,
    can_draw,
    choose_layout,
)
from gankit.cli.terminal.rich_console import OutputConsole
from gankit.core.run.image_size import ImageSize


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def console(monkeypatch):
    """`console(width=80, TERM="dumb")`: the console of a terminal with these variables."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)

    def make(file=None, width=100, height=40, **variables):
        for name, value in {"TERM": "xterm-256color", **variables}.items():
            monkeypatch.setenv(name, value)
        return OutputConsole(file=file or Terminal(), width=width, height=height)

    return make


def drawn_pixels(text, pattern):
    """The numbers of the colours in each drawn line: (lines, columns, numbers)."""
    return [
        [list(map(int, match)) for match in re.findall(rf"\x1b\[{pattern}m{BLOCK}", line)]
        for line in text.splitlines()
    ]


def test_each_half_has_the_colour_of_its_pixel(console):
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    terminal = console(COLORTERM="truecolor")
    terminal.print(HalfBlocks(frames, choose_layout(3, ImageSize(4, 4), 100, 40), terminal))
    number = r"(\d+)"
    pattern = f"38;2;{number};{number};{number};48;2;{number};{number};{number}"
    cells = np.array(drawn_pixels(terminal.file.getvalue(), pattern))
    assert cells.shape == (2, 12, 6)  # 2 lines, 3 pictures of 4 columns
    pixels = np.stack((cells[..., :3], cells[..., 3:]), 1).reshape(4, 3, 4, 3)
    assert (pixels.transpose(1, 0, 2, 3) == frames).all()


def test_a_terminal_of_256_colours_gets_the_nearest(console):
    frame = np.zeros((1, 2, 26, 3), np.uint8)
    frame[0, 0, :, :] = np.linspace(0, 255, 26).astype(np.uint8)[:, None]  # greys
    frame[0, 1, 0] = (250, 4, 3)
    terminal = console()
    picture = HalfBlocks(frame, choose_layout(1, ImageSize(26, 2), 100, 40), terminal)
    terminal.print(picture)
    ((first, *greys), *_) = drawn_pixels(terminal.file.getvalue(), r"38;5;(\d+);48;5;(\d+)")
    assert first == [16, 196]  # black and red
    assert len({upper for upper, _ in greys}) > 20


@pytest.mark.parametrize(
    ("variables", "encoding", "expected"),
    [
        ({"COLORTERM": "truecolor"}, "utf-8", True),
        ({}, "utf-8", True),
        ({}, "cp437", True),
        ({}, "latin-1", False),
        ({}, "ascii", False),
        ({"TERM": "xterm"}, "utf-8", False),  # 16 colours
        ({"TERM": "dumb"}, "utf-8", False),
        ({"NO_COLOR": "1"}, "utf-8", False),
    ],
)
def test_only_where_the_terminal_can_show_it(console, variables, encoding, expected):
    terminal = Terminal()
    terminal.encoding = encoding
    assert can_draw(console(terminal, **variables)) is expected


def test_never_in_a_pipe(console):
    assert not can_draw(console(io.StringIO(), COLORTERM="truecolor"))


@pytest.mark.parametrize(
    ("count", "size", "width", "lines", "expected"),
    [
        (1, 64, 80, 40, (64, 1, 1)),  # never larger than the picture
        (1, 64, 80, 20, (40, 1, 1)),
        (3, 32, 100, 40, (32, 3, 1)),
        (10, 64, 100, 40, (18, 5, 2)),
        (64, 64, 80, 9, (18, 4, 1)),  # not smaller, but fewer
        (8, 64, 40, 9, (18, 2, 1)),
        (8, 16, 80, 9, (16, 4, 1)),
        (8, 64, 12, 9, (12, 1, 1)),
        (4, 1, 80, 9, None),
        (8, 64, 80, 5, None),
        (8, 64, 1, 9, None),
    ],
)
def test_the_layout(count, size, width, lines, expected):
    layout = choose_layout(count, ImageSize(size, size), width, lines)
    assert layout == (expected and (expected[0], *expected))


@pytest.mark.parametrize(
    ("count", "size", "width", "lines", "expected"),
    [
        (1, (96, 64), 80, 20, (60, 40, 1, 1)),
        (1, (64, 96), 80, 20, (26, 40, 1, 1)),
        (8, (96, 64), 80, 9, (18, 12, 4, 1)),
        (4, (64, 16), 80, 9, (38, 8, 2, 2)),
    ],
)
def test_pictures_that_are_not_square_keep_their_shape(count, size, width, lines, expected):
    assert choose_layout(count, ImageSize(*size), width, lines) == expected


def test_pictures_fit_and_are_never_too_many_to_draw_quickly():
    for width in range(2, 300, 7):
        for lines in range(6, 90, 7):
            for count in (1, 2, 8, 64):
                for size in (ImageSize(64, 64), ImageSize(96, 64), ImageSize(32, 128)):
                    wide, high, columns, rows = choose_layout(count, size, width, lines)
                    assert columns * (wide + 1) - 1 <= width
                    assert rows * (high // 2 + 1) - 1 <= lines
                    assert columns * rows * wide * high // 2 <= max(MAX_CELLS, wide * high // 2)


def test_a_row_is_drawn_anew_only_for_other_pictures_or_another_size(console):
    terminal = console()
    row = PictureRow(terminal)
    assert row.fit(9) is None
    row.show(np.zeros((8, 32, 32, 3), np.uint8))
    first = row.fit(9)
    assert row.fit(30) is first
    assert row.fit(7) is not first
    assert row.fit(3) is None
    again = row.fit(7)
    row.show(np.zeros((8, 32, 32, 3), np.uint8))
    assert row.fit(7) is not again
