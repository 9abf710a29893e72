"""Which image sizes gankit's own networks can draw."""

from gankit.core.image_size import ImageSize

MIN_SIDE = 16  # px
MAX_RATIO = 4  # of the longer side to the shorter


def possible_size(size: ImageSize) -> ImageSize:
    """The size, or one near to it that gankit's own networks draw.

    They double a small map, whose shorter side is 4 to 7 px, until it is the picture.
    """
    unit = 2 ** max(2, (size.shorter // 4).bit_length() - 1)
    is_multiple = size.width % unit == 0 and size.height % unit == 0
    if is_multiple and size.shorter >= MIN_SIDE and size.longer <= MAX_RATIO * size.shorter:
        return size
    step = 2 * unit  # so it is possible also where the shorter side is rounded up to 8 units
    width, height = (max(MIN_SIDE, round(side / step) * step) for side in (size.width, size.height))
    limit = MAX_RATIO * min(width, height)
    return ImageSize(min(width, limit), min(height, limit))


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
