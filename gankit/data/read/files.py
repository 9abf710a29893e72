"""One's own pictures, as a sequence that decodes each when it is asked for."""

from collections.abc import Sequence

from PIL import Image, ImageColor

from gankit.core.errors import did_you_mean
from gankit.core.stop import Progress
from gankit.data.read.decode import decode
from gankit.data.read.find import Classify, find


class Files(Sequence[Image.Image]):
    """The pictures in folders, archives and single files, sorted; a broken one is a ValueError.

    `image_size` lets large JPEG files be decoded at a reduced scale that suits it; 0 never does.
    """

    def __init__(
        self,
        data: tuple[str, ...],
        image_size: int = 64,
        classes: tuple[str, ...] = (),
        classify: Classify | None = None,
        background: str = "white",
        progress: Progress = lambda done, total: None,
    ) -> None:
        _check_colour(background)
        found = find(data, classes, classify, progress)
        self.paths, self.names, self.classes, self.left_out, self.fingerprint = found
        self.image_size, self.background = image_size, background

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        return decode(self.paths[index], self.image_size, self.background)


def _check_colour(name: str) -> None:
    try:
        ImageColor.getrgb(name)
    except ValueError:
        near = did_you_mean(name, ImageColor.colormap)
        raise ValueError(
            f"there is no colour {name!r}.{near} Write it as white or #ff8000"
        ) from None
