"""ImageSize: width and height of a run's pictures, as you write them: `64`, or `96x64`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gankit.core.errors import GankitError, quote_value

MAX_SIDE = 16_384  # px
_SIZE = re.compile(r"([0-9]{1,30})(?: ?[xX\u00d7] ?([0-9]{1,30}))?")
EXPECTED = "a side in pixels, or WIDTHxHEIGHT such as 96x64"


@dataclass(frozen=True)
class ImageSize:
    """Width and height in pixels. Tensors have them the other way round: (N, C, height, width)."""

    width: int
    height: int

    @classmethod
    def parse(cls, size: int | str) -> ImageSize:
        """The size that `64`, "64" or "96x64" (width x height) means. GankitError."""
        match = _SIZE.fullmatch(str(size).strip())
        if not match:
            raise GankitError(f"--image-size is {quote_value(size)}; it must be {EXPECTED}")
        width = int(match[1])
        height = int(match[2] or width)
        if not 1 <= min(width, height) <= max(width, height) <= MAX_SIDE:
            limit = f"a side must be from 1 to {MAX_SIDE}"
            raise GankitError(f"--image-size is {quote_value(size)}; {limit}")
        return cls(width, height)

    @classmethod
    def is_size(cls, size: int | str) -> bool:
        """Whether `parse` takes it."""
        try:
            cls.parse(size)
        except GankitError:
            return False
        return True

    @classmethod
    def of(cls, size: int | ImageSize) -> ImageSize:
        """The size itself; for an int, that of a square."""
        return cls(size, size) if isinstance(size, int) else size

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def is_square(self) -> bool:
        return self.width == self.height

    @property
    def setting(self) -> int | str:
        """The value of a run's `image_size`: a square's side, or a text such as "96x64"."""
        return self.width if self.is_square else str(self)

    @property
    def longer(self) -> int:
        """The longer side."""
        return max(self.width, self.height)

    @property
    def shorter(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)

    @property
    def area(self) -> int:
        """The number of pixels."""
        return self.width * self.height
