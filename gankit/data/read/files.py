"""Your own pictures, as a sequence that decodes each picture when it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageColor

from gankit.core.errors import GankitError, did_you_mean
from gankit.data.read.decode import decode


@dataclass(eq=False, repr=False)
class PictureFiles(Sequence[Image.Image]):
    """The pictures that `gankit.picture_files` has found: FoundPictures, and how to decode them."""

    paths: list[Path]
    names: list[str]
    classes: list[str]
    left_out: list[str]
    fingerprint: str
    image_size: int
    background: str

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        return decode(self.paths[index], self.image_size, self.background)


def check_colour(name: str) -> None:
    """GankitError unless Pillow knows the colour of a background."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        hint = did_you_mean(name, ImageColor.colormap)
        line = f"--background is {name!r}; it must be a colour such as white or #ff8000.{hint}"
        raise GankitError(line) from None
