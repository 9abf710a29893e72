"""Build a network for the size of the pictures, as its builder takes it."""

from __future__ import annotations

from typing import Any

from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import Spec
from gankit.core.run.image_size import ImageSize

SQUARE_ONLY = "makes square pictures only, and --image-size is"
MIN_SIDE = 16  # px
MAX_RATIO = 4  # of the longer side to the shorter


def make_network(
    registry: Registry, kind: str, network: Choice, size: ImageSize, **values: Any
) -> Any:
    """Build a network for pictures of this size. `values`: others of the run, such as channels.

    GankitError, which names a size that is near if gankit's own networks cannot make this one.
    """
    image_size = network_size(registry, kind, network, size)
    try:
        return registry.make(kind, network, image_size=image_size, **values)
    except GankitError as error:
        near = possible_size(size)
        if near == size or not registry.comes_with_gankit(kind, network.name):
            raise
        advice = f"{error}; try --image-size {near.setting}"
        raise GankitError(advice, error.exit_code) from error


def possible_size(size: ImageSize) -> ImageSize:
    """The size, or one near to it that gankit's own networks make.

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


def network_size(
    registry: Registry, kind: str, network: Choice, size: ImageSize
) -> int | tuple[int, int]:
    """The side of a square; (height, width) of other pictures, as torch orders them.

    GankitError if the network is made for squares: its builder takes a tuple only if it says so,
    with `image_size: int | tuple[int, int]`. One that is not told the size may suit any.
    """
    if size.is_square:
        return size.width
    spec = registry.find(kind, network.name)
    if "image_size" in spec.parameters() and not takes_rectangles(spec):
        able = [other.name for other in registry.specs(kind) if takes_rectangles(other)]
        names = ", ".join(able) or "none"
        raise GankitError(
            f"{kind} {network.name!r} {SQUARE_ONLY} {size}: give one side, such as {size.shorter}, "
            f"or a {kind} that can make others ({names})"
        )
    return size.height, size.width


def takes_rectangles(spec: Spec) -> bool:
    """Whether a network's builder takes (height, width) as its image_size."""
    return "image_size" in spec.parameters() and spec.takes_tuple("image_size")
