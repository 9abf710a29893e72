"""Whether a picture has a colour, or is a grey one with noise in its channels.

Noise has no colour on average; a tint has. Measured on 40 grey pictures of 300 px with noise of
standard deviation 8 in each channel, saved as PNG and as JPEG of quality 10 to 95, and shrunk to
64 px: channels differ by up to 0.1 levels on average, by 1.4 in a 64th of a picture, and by 14 in
one pixel. In pictures that were 64 px before, noise of deviation 2 gives 0.2, 1.9 and 14. Tints
that can barely be seen begin at 3 levels; cream paper and bluish X-rays have 3 to 15.
"""

from typing import Any, NamedTuple

import numpy as np
from PIL import Image

MAX_TINT = 1.5  # levels of 255 by which channels of a grey picture may differ on average
MAX_PATCH_TINT = 8  # the same on average over a 64th of the picture
MAX_DIFFERENCE = 16  # and in a single pixel
PATCHES = (8, 8)


class Colour(NamedTuple):
    """By how many levels of 255 the channels of a picture differ at most."""

    tint: float  # on average over the picture
    patch: float  # on average over a 64th of it
    pixel: int  # in one pixel

    @property
    def is_grey(self) -> bool:
        """Whether noise alone explains it."""
        is_tinted = self.tint > MAX_TINT or self.patch > MAX_PATCH_TINT
        return not is_tinted and self.pixel <= MAX_DIFFERENCE


NO_COLOUR = Colour(0.0, 0.0, 0)


def find_colour(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Colour:
    """The colour of a picture (H, W, 3)."""
    pixel = int((pixels.max(axis=2) - pixels.min(axis=2)).max())
    if not pixel:
        return NO_COLOUR
    patches = Image.fromarray(pixels).resize(PATCHES, Image.Resampling.BOX)
    patch = np.ptp(np.asarray(patches), axis=2).max()
    return Colour(float(np.ptp(pixels.mean((0, 1)))), float(patch), pixel)
