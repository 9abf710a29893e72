"""Which image sizes gankit's own networks can draw."""

from gankit.core.run.image_size import ImageSize
from gankit.training.weights.network_size import MIN_SIDE, possible_size


def largest_possible(size: ImageSize, factor: float) -> ImageSize:
    """The largest size that the networks draw, of this shape, and at most `factor` times as large.

    The size itself, if none is.
    """
    for shorter in range(int(factor * size.shorter), MIN_SIDE - 1, -1):
        width, height = (side * shorter / size.shorter for side in (size.width, size.height))
        if width.is_integer() and height.is_integer():
            smaller = ImageSize(int(width), int(height))
            if possible_size(smaller) == smaller:
                return smaller
    return size


def smallest_possible(width: int, height: int) -> ImageSize:
    """The size itself, if the networks draw it, else the smallest square that holds it."""
    size = ImageSize(width, height)
    side = size.longer
    while possible_size(size) != size:
        size = ImageSize(side, side)
        side += 1
    return size
