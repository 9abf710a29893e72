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
