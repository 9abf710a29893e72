"""The size of the pictures as a network's builder takes it."""

from __future__ import annotations

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.image_size import ImageSize
from gankit.core.registry import Registry
from gankit.core.specs import Spec

SQUARE_ONLY = "makes square pictures only, and --image-size is"


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
