"""Your own pictures, as a sequence that decodes each picture when it is read."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageColor

from gankit.core.errors import GankitError, did_you_mean
from gankit.data.find.picture_file import Moment
from gankit.data.read.arrays import ArrayFile
from gankit.data.read.decode import decoded, measure_range
from gankit.data.read.deep import Range, SharedRanges


@dataclass(eq=False, repr=False)
class PictureFiles(Sequence[Image.Image]):
    """The pictures that `gankit.picture_files` has found: FoundPictures, and how to decode them."""

    paths: list[Path]
    names: list[str]
    classes: list[str]
    left_out: list[str]
    fingerprint: str
    image_size: int
    background: str | None  # behind what is transparent; None: it stays transparent
    parts: Sequence[int] = ()
    arrays: dict[str, ArrayFile] = field(default_factory=dict)
    moments: Sequence[Moment | None] = ()
    file_notes: Sequence[str] = ()
    label_tables: Sequence[str] = ()
    ranges: SharedRanges = field(init=False)

    def __post_init__(self) -> None:
        self.ranges = SharedRanges(self._measure_all)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        with self.opened(index) as picture:
            return picture

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """The picture; until the block ends, its pixels count as in flight."""
        array = self.array_of(index)
        if array:
            return array.opened(self.parts[index], self.background, self.ranges)
        return decoded(self.paths[index], self.image_size, self.background, self.ranges)

    def array_of(self, index: int) -> ArrayFile | None:
        """The array that holds the picture; None if it is a file of its own."""
        return self.arrays.get(str(self.paths[index])) if self.arrays else None

    @cached_property
    def _films(self) -> dict[str, int]:
        """A number for each film."""
        names = dict.fromkeys(moment.film for moment in self.moments if moment)
        return {name: number for number, name in enumerate(names)}

    def moment(self, index: int) -> tuple[int, int] | None:
        """The film of a frame and its time in ms; (-1, 0) for others; None if there are no films.

        By this, gankit holds out the end of a film.
        """
        if not self._films:
            return None
        moment = self.moments[index]
        return (self._films[moment.film], moment.time) if moment else (-1, 0)

    @property
    def notes(self) -> list[str]:
        """What the pictures that were decoded so far have in common: lines for the user."""
        return self.ranges.notes

    def _measure_all(self) -> Iterator[Range]:
        """The range of each picture of more than 8 bits."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            files = [path for path in self.paths if str(path) not in self.arrays]
            yield from filter(None, pool.map(measure_range, files))
            yield from filter(None, pool.map(ArrayFile.measure, self.arrays.values()))


def check_colour(name: str) -> None:
    """GankitError unless Pillow knows the colour of a background."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        hint = did_you_mean(name, ImageColor.colormap)
        line = f"--background is {name!r}; it must be a colour such as white or #ff8000.{hint}"
        raise GankitError(line) from None
