"""Your own pictures, as a sequence that decodes each picture when it is read."""

from collections.abc import Sequence

from PIL import Image, ImageColor

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.stop import Progress, no_progress
from gankit.data.read.decode import decode
from gankit.data.read.find import Classify, find_pictures


class PictureFiles(Sequence[Image.Image]):
    """The pictures in folders, archives and single files, sorted; a broken one is a ValueError.

    `image_size` lets large JPEG files be decoded at a reduced scale, not below this size; with 0
    they are decoded in full.
    """

    def __init__(
        self,
        data: tuple[str, ...],
        image_size: int = 64,
        classes: tuple[str, ...] = (),
        classify: Classify | None = None,
        background: str = "white",
        progress: Progress = no_progress,
    ) -> None:
        _check_colour(background)
        pictures = find_pictures(data, classes, classify, progress)
        self.paths = pictures.paths
        self.names = pictures.names
        self.classes = pictures.classes
        self.left_out = pictures.left_out
        self.fingerprint = pictures.fingerprint
        self.image_size = image_size
        self.background = background

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        return decode(self.paths[index], self.image_size, self.background)


def _check_colour(name: str) -> None:
    try:
        ImageColor.getrgb(name)
    except ValueError:
        hint = did_you_mean(name, ImageColor.colormap)
        line = f"--background is {name!r}; it must be a colour such as white or #ff8000.{hint}"
        raise GankitError(line) from None
