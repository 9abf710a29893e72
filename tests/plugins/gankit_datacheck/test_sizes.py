"""The sizes that `gankit data check` suggests are those that the networks draw."""

import pytest
from gankit_datacheck.sizes import possible_size
from gankit_dcgan.nets import first_map

from gankit.core.image_size import ImageSize

SIDES = (1, 4, 15, 16, 17, 20, 24, 28, 31, 32, 47, 48, 50, 60, 64, 90, 96, 100, 127, 128, 250, 1000)


@pytest.mark.parametrize("width", SIDES)
def test_a_size_is_kept_if_the_networks_draw_it_and_else_replaced_as_they_say(width):
    for height in SIDES:
        size = ImageSize(width, height)
        possible = possible_size(size)
        first_map((possible.height, possible.width))  # does not raise
        if possible != size:
            with pytest.raises(ValueError, match=f"such as ({possible.setting}|{possible})$"):
                first_map((height, width))
