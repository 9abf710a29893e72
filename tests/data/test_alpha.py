"""Transparent pictures: premultiplied pixels, what is shown, and what is saved."""

import numpy as np
from PIL import Image

from gankit.data.alpha import checkerboard, flatten, on_checkerboard, unpremultiply


def pixel(*values):
    return np.array([[values]], np.uint8)


def test_colours_are_divided_by_alpha():
    assert unpremultiply(pixel(50, 25, 0, 100)).tolist() == [[[128, 64, 0, 100]]]
    assert unpremultiply(pixel(200, 3, 255, 255)).tolist() == [[[200, 3, 255, 255]]]


def test_more_colour_than_alpha_allows_is_cut_off():
    assert unpremultiply(pixel(200, 100, 0, 100)).tolist() == [[[255, 255, 0, 100]]]
    assert unpremultiply(pixel(9, 9, 9, 0)).tolist() == [[[0, 0, 0, 0]]]
    assert flatten(pixel(200, 100, 0, 100), 0).tolist() == [[[100, 100, 0]]]


def test_a_picture_lies_on_a_level():
    half = pixel(128, 0, 0, 128)
    assert flatten(half, 255).tolist() == [[[255, 127, 127]]]
    assert flatten(half, 0).tolist() == [[[128, 0, 0]]]
    opaque = np.full((2, 4, 4, 3), 7, np.uint8)
    assert flatten(opaque, 255) is opaque


def test_both_ways_to_a_checkerboard_agree():
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (32, 32, 4), dtype=np.uint8)
    pixels[..., :3] = np.minimum(pixels[..., :3], pixels[..., 3:])
    seen = np.asarray(on_checkerboard(Image.fromarray(unpremultiply(pixels)))).astype(int)
    assert np.abs(seen - flatten(pixels, checkerboard(32, 32))).max() <= 2


def test_squares_of_a_checkerboard_are_neither_dots_nor_halves():
    for side, square in ((4, 1), (16, 2), (32, 4), (64, 8), (512, 16)):
        row = checkerboard(side, side)[0, :, 0].astype(int)
        edges = np.flatnonzero(np.diff(row)) + 1
        assert edges[0] == square, side
        assert set(row) == {255, 205}
