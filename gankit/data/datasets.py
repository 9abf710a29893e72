"""Registers the data sets of your own files: `folder` and `shards`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gankit.core.errors import GankitError
from gankit.core.parts.hookspecs import hookimpl
from gankit.core.parts.specs import DatasetSpec
from gankit.core.progress import Progress, no_progress

if TYPE_CHECKING:
    from gankit.data.read.files import PictureFiles


def picture_files(
    data: tuple[str, ...],
    image_size: int = 64,
    classes: tuple[str, ...] = (),
    classify: Callable[[list[Path]], list[str]] | None = None,
    background: str = "white",
    channels: int = 3,
    progress: Progress = no_progress,
    every: int = 0,
) -> PictureFiles:
    """The pictures in folders, archives and single files, sorted; a broken one is a ValueError.

    `image_size` lets large JPEG files be decoded at a reduced scale, not below this size; with 0
    they are decoded in full. With 4 `channels`, what is transparent stays so. This is the
    builder for any data set of archives with `downloads`.

    every: take every n-th frame of films and animations. 0: two frames a second of a film and all
    of an animation that are given themselves with --data; of those in folders and archives, films
    are left out and animations give their first frame.
    """
    from gankit.data.alpha import ALPHA  # imports NumPy
    from gankit.data.find.find_pictures import find_pictures
    from gankit.data.read.files import PictureFiles, check_colour  # imports Pillow

    check_colour(background)
    if every < 0:
        raise GankitError(f"folder:every={every} must be 1 or more, or 0 to let gankit decide")
    pictures = find_pictures(data, classes, classify, progress, every)
    behind = None if channels == ALPHA else background
    return PictureFiles(**pictures._asdict(), image_size=image_size, background=behind)


@hookimpl
def register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    register(
        DatasetSpec(
            name="folder",
            summary="your own pictures, from the folders, zips and tars given with --data",
            source="your disk",
            build=picture_files,
            pictures="yours",
            licence="yours to know",
            lesson=4,
            own=True,
        )
    )
    register(
        DatasetSpec(
            name="shards",
            summary="your own pictures in tar files, streamed: for sets beyond one disk",
            source="webdataset, Aizman, Maltby & Breuel 2019, arXiv 2001.01858",
            build="gankit.data.stream.shards:Shards",
            pictures="yours",
            licence="yours to know",
        )
    )
