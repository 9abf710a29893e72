"""The sizes that `gankit data check` suggests are those that the networks draw."""

import pytest
from gankit_datacheck.sizes import largest_possible, smallest_possible
from gankit_dcgan.nets import first_map

from gankit.core.run.image_size import ImageSize
from gankit.training.weights.network_size import possible_size

SIDES = (1, 4, 15, 16, 17, 20, 24, 28, 31, 32, 47, 48, 50, 60, 64, 90, 96, 100, 127, 128, 250, 1000)


@pytest.mark.parametrize("width", SIDES)
def test_a_size_is_kept_if_the_networks_draw_it_and_else_replaced(width):
    for height in SIDES:
        size = ImageSize(width, height)
        possible = possible_size(size)
        first_map((possible.height, possible.width))  # does not raise
        if possible != size:
            with pytest.raises(ValueError, match=f"image_size is {size}, but"):
                first_map((height, width))


@pytest.mark.parametrize(
    ("size", "factor", "expected"),
    [((64, 64), 24 / 64, 24), ((64, 64), 48 / 64, 48), ((64, 64), 50 / 64, 48),
     ((96, 64), 0.5, "48x32"), ((64, 64), 0.1, 64)],
)  # fmt: skip
def test_the_largest_size_that_pictures_fill(size, factor, expected):
    assert largest_possible(ImageSize(*size), factor).setting == expected


@pytest.mark.parametrize(
    ("art", "expected"),
    [((24, 24), 24), ((16, 24), "16x24"), ((8, 8), 16), ((18, 18), 20), ((12, 16), 16)],
)
def test_the_smallest_size_that_holds_pixel_art(art, expected):
    assert smallest_possible(*art).setting == expected
