"""Tensors are converted to pictures: values, order and layout."""

import struct
from zlib import crc32

import numpy as np
import pytest
import torch
from PIL import Image

from gankit import GankitError
from gankit.core.run.image_size import ImageSize
from gankit.data.alpha import checkerboard
from gankit.runs.images import (
    arrange,
    can_be_transparent,
    cut_grid,
    from_uint8,
    nearly_square,
    on_grey,
    resize,
    save_picture,
    to_frames,
    to_grid,
    to_pictures,
    to_rgb,
)
from gankit.runs.read_grid import read_grid


def uniform(*values, size=4, channels=3):
    """Images of one value each: (N, C, size, size)."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None].expand(
        -1, channels, size, size
    )


@pytest.mark.parametrize(
    ("value", "byte"),
    [(-1, 0), (1, 255), (0, 128), (-2, 0), (7, 255), (-0.5, 64), (2 / 255 - 1, 1)],
)
def test_minus_one_is_black_and_one_is_white(value, byte):
    assert (to_frames(uniform(value)) == byte).all()


def test_bytes_are_converted_to_a_tensor_and_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert np.array_equal(to_frames(images), pixels)


def test_frames_have_channels_last_and_grey_is_repeated():
    images = torch.linspace(-1, 1, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    frames = to_frames(images)
    assert frames.shape == (2, 4, 5, 3)
    assert frames.dtype == np.uint8
    assert (frames[:, 0, 0, 0] < frames[:, 0, 0, 1]).all()
    grey = to_frames(images[:, :1])
    assert grey.shape == (2, 4, 5, 3)
    assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_all_float_types_work(dtype):
    assert (to_frames(uniform(1).to(dtype).requires_grad_(False)) == 255).all()


@pytest.mark.parametrize(
    ("count", "columns", "cells"),
    [
        *((1, 0, (1, 1)), (4, 0, (2, 2)), (5, 0, (3, 2)), (64, 0, (8, 8))),
        *((5, 5, (5, 1)), (3, 2, (2, 2))),
    ],
)
def test_a_grid_is_nearly_square_by_default(count, columns, cells):
    width, height = cells
    grid = to_grid(uniform(*[0] * count), columns)
    assert grid.mode == "RGB"
    assert grid.size == (width * 6 + 2, height * 6 + 2)


def test_a_grid_goes_row_by_row_with_a_gap():
    grid = np.asarray(to_grid(uniform(-1, -0.5, 0), columns=2, gap=1))
    assert grid.shape == (11, 11, 3)
    assert (grid[1:5, 1:5] == 0).all()
    assert (grid[1:5, 6:10] == 64).all()
    assert (grid[6:10, 1:5] == 128).all()
    assert (grid[6:10, 6:10] == 255).all()  # empty: white
    assert (grid[[0, 5, 10]] == 255).all()
    assert (grid[:, [0, 5, 10]] == 255).all()


def test_a_grid_without_gaps():
    assert to_grid(uniform(0, 0), columns=2, gap=0).size == (8, 4)


def test_a_grid_of_somebody_else_is_read_as_a_png_only(tmp_path):
    path = tmp_path / "000500.png"
    save_picture(to_grid(uniform(0, 0)), path)
    assert read_grid(path).size == (14, 8)
    header = b"\x89PNG\r\n\x1a\n"
    bomb = to_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    postscript = (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    )
    for content in (postscript, header + bomb, header + to_chunk(b"IHDR", b""), header, b""):
        path.write_bytes(content)
        with pytest.raises(GankitError, match=r"cannot read the grid .*000500\.png: it is damaged"):
            read_grid(path)
    with pytest.raises(GankitError, match="Is a directory"):
        read_grid(tmp_path)


def to_chunk(kind, content):
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc32(kind + content))
    )


def test_transparent_images_are_seen_on_a_checkerboard_and_saved_as_rgba():
    images = torch.tensor([-1.0, -1, -1, -1, 1, -1, -1, 1]).reshape(2, 4, 1, 1).expand(2, 4, 16, 16)
    frames = to_frames(images)
    assert frames.shape == (2, 16, 16, 3)
    assert np.array_equal(frames[0], np.broadcast_to(checkerboard(16, 16), (16, 16, 3)))
    assert (frames[1] == (255, 0, 0)).all()
    pictures = to_pictures(images)
    assert (pictures[0] == 0).all()
    assert (pictures[1] == (255, 0, 0, 255)).all()
    grid = to_grid(images)
    assert grid.mode == "RGB"
    assert np.array_equal(np.asarray(grid)[2:18, 2:18], frames[0])
    assert torch.equal(to_rgb(images), from_uint8(frames))
    grey = on_grey(images)[:, :, 0, 0]
    torch.testing.assert_close(grey, torch.tensor([[0.0, 0, 0], [1, -1, -1]]))


def test_gradients_flow_to_alpha_through_a_grey_ground():
    images = torch.zeros(1, 4, 2, 2, requires_grad=True)
    on_grey(images).sum().backward()
    assert (images.grad[0, 3] < 0).all()


def test_nearest_enlarges_without_new_colours():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8))
    large = np.asarray(resize(picture, 24, "nearest"))
    assert np.array_equal(large, np.asarray(picture).repeat(3, 0).repeat(3, 1))
    assert not np.array_equal(large, np.asarray(resize(picture, 24)))


@pytest.mark.parametrize("ending", ["png", "webp", "gif", "tif", "jpg", "bmp", "ppm"])
def test_what_is_transparent_is_saved_so_or_on_the_background(ending, tmp_path):
    path = tmp_path / f"picture.{ending}"
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    clear.paste((200, 0, 0, 255), (4, 0, 8, 8))
    save_picture(clear, path, background="blue")
    with Image.open(path) as saved:
        pixels = np.asarray(saved.convert("RGBA")).astype(int)
    if can_be_transparent(path):
        assert pixels[0, 0, 3] == 0
    else:
        assert np.abs(pixels[0, 0] - (0, 0, 255, 255)).max() < 40
    assert np.abs(pixels[4, 6] - (200, 0, 0, 255)).max() < 40
    assert can_be_transparent(path) == (ending not in ("jpg", "bmp", "ppm"))


@pytest.mark.parametrize("size", [ImageSize(6, 4), ImageSize(3, 9), ImageSize(4, 4)])
def test_a_grid_is_nearly_square_and_can_be_cut_again(size):
    frames = np.random.default_rng(0).integers(0, 256, (12, size.height, size.width, 3), np.uint8)
    grid = arrange(frames)
    assert 1 / 2 <= grid.width / grid.height <= 2
    assert (cut_grid(grid, size) == frames).all()


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [
        (64, (64, 64), 8), (64, (96, 64), 8), (64, (64, 96), 8), (64, (256, 64), 4),
        (64, (64, 256), 16), (7, (64, 64), 3), (7, (96, 64), 3), (1, (96, 64), 1),
        (12, (64, 64), 4),
    ],
)  # fmt: skip
def test_a_grid_of_oblong_pictures_has_no_empty_place_if_possible(count, size, columns):
    assert nearly_square(count, ImageSize(*size)) == columns
