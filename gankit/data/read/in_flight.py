"""Bounds the pixels that all threads together have in memory, however many threads there are."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from gankit.data.read.limits import MAX_PIXELS

MAX_PIXELS_IN_FLIGHT = 2 * MAX_PIXELS
DEEP_WEIGHT = 4  # a deep picture takes as much memory as four others


class PixelBudget:
    """A semaphore that counts pixels: whoever would exceed it waits for others to finish."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self._free = pixels
        self._condition = threading.Condition()

    @contextlib.contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold this many pixels, or the whole budget if it is smaller, until the block ends."""
        pixels = min(pixels, self.pixels)
        with self._condition:
            self._condition.wait_for(lambda: pixels <= self._free)
            self._free -= pixels
        try:
            yield
        finally:
            with self._condition:
                self._free += pixels
                self._condition.notify_all()


DECODING = PixelBudget(MAX_PIXELS_IN_FLIGHT)
# The search for the white of a set runs while pictures that are being decoded wait for it.
MEASURING = PixelBudget(MAX_PIXELS_IN_FLIGHT)


@contextlib.contextmanager
def opened(pictures: Sequence[Any], index: int) -> Iterator[Any]:
    """The picture `pictures[index]`; if the sequence can, it counts as in flight until the end."""
    if hasattr(pictures, "opened"):
        with pictures.opened(index) as picture:
            yield picture
    else:
        yield pictures[index]
