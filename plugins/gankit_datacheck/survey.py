"""What there is to know about each picture of a data set, gathered on all cores; no pixels kept."""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from PIL import Image

from gankit.core.stop import Progress
from gankit.data.read.decode import FORMATS, MAX_PIXELS, ORIENTATION
from gankit.data.read.fit import GREY_TOLERANCE, fit
from gankit.data.store import duplicates

SIDE = 64  # pictures are looked at in this size: every statistic is the same for every model
BINS = 32  # of the colour histograms
DRAWN = 2000  # of a set that draws its pictures, so many are looked at
PART = 16  # pictures looked at by one thread before it asks for more
ENOUGH = 100  # pictures from which on their average says something
SIDEWAYS = 5  # from this value of the EXIF orientation on, a camera was held upright


@dataclass
class Facts:
    """One picture; what only files have stays empty for a drawn one."""

    index: int  # in its data set
    name: str
    kind: str = ""  # its class folder
    format: str = ""  # "JPEG", whatever the file is called
    width: int = 0  # as it is shown: turned as the camera says
    height: int = 0
    mode: str = ""  # of the file: RGB, L, CMYK, ...
    bytes: int = 0
    transparent: bool = False  # in places
    grey: bool = False
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)  # red, green, blue; levels of 255
    std: tuple[float, ...] = (0.0, 0.0, 0.0)
    histogram: Any = None  # (3, BINS), shares of the picture
    look: Any = field(default=None, repr=False)  # duplicates.make_thumbnail
    broken: str = ""  # what is wrong with it


def examine(files: Sequence[Any], progress: Progress = lambda done, total: None) -> list[Facts]:
    """The facts of every picture, or of DRAWN spread over a set without files; never raises."""
    count = len(files)
    drawn = not hasattr(files, "paths") and count > DRAWN
    indices = np.linspace(0, count - 1, DRAWN).astype(int).tolist() if drawn else range(count)
    parts = [indices[start : start + PART] for start in range(0, len(indices), PART)]
    found: list[Facts] = []
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.filterwarnings("ignore", module=r"PIL\.")  # of headers: a person cannot act on it
        for part in pool.map(partial(_some, files), parts):
            found += part
            progress(len(found), len(indices))
    return found


def _some(files: Sequence[Any], indices: Sequence[int]) -> list[Facts]:
    if not hasattr(files, "batch"):
        return [_facts(files, index, partial(files.__getitem__, index)) for index in indices]
    batch = files.batch(indices)  # a data set that is faster at many together
    return [
        _facts(files, index, partial(_itself, picture))
        for index, picture in zip(indices, batch, strict=True)
    ]


def _itself(picture: Any) -> Any:
    return picture


def _facts(files: Any, index: int, take: Callable[[], Any]) -> Facts:
    """The facts of one picture; `take` gives the picture itself."""
    names = getattr(files, "names", None)
    kinds = getattr(files, "classes", None)
    paths = getattr(files, "paths", None)
    facts = Facts(index, names[index] if names else f"picture {index}")
    facts.kind = kinds[index] if kinds else ""
    if paths:
        with contextlib.suppress(Exception):  # reading the picture says what is wrong
            _read_header(paths[index], facts)
    try:
        picture = take()
        if not facts.width:
            facts.height, facts.width = _shape(picture)
        _read_pixels(fit(picture, SIDE, 3), facts)
    except Exception as error:  # a broken picture may raise anything
        facts.broken = " ".join(str(error).split()) or type(error).__name__
    return facts


def _read_header(path: str | Path, facts: Facts) -> None:
    path = Path(path)
    facts.bytes = path.stat().st_size
    if not path.is_file():
        return
    with Image.open(path, formats=FORMATS) as image:
        facts.format = str(image.format)
        facts.mode = image.mode
        size = image.size
        with contextlib.suppress(Exception):  # a broken remark about the camera
            if image.getexif().get(ORIENTATION, 1) >= SIDEWAYS:
                size = size[::-1]
        facts.width, facts.height = size
        if image.has_transparency_data and image.width * image.height <= MAX_PIXELS:
            alpha = (image if "A" in image.getbands() else image.convert("RGBA")).getchannel("A")
            least, _ = cast(tuple[int, int], alpha.getextrema())  # of one band
            facts.transparent = least < 255


def _shape(picture: Any) -> tuple[int, int]:
    """Height and width of whatever a data set gives."""
    picture = picture[0] if isinstance(picture, tuple) else picture
    return picture.size[::-1] if isinstance(picture, Image.Image) else picture.shape[:2]


def _read_pixels(pixels: Any, facts: Facts) -> None:
    counts = np.array(Image.fromarray(pixels).histogram(), float).reshape(3, 256) / SIDE**2
    levels = np.arange(256)
    mean = counts @ levels
    facts.mean = tuple(mean.tolist())
    facts.std = tuple(np.sqrt(np.maximum(counts @ levels**2 - mean**2, 0)).tolist())
    facts.histogram = counts.reshape(3, BINS, -1).sum(2)
    spread = pixels.max(axis=-1) - pixels.min(axis=-1)  # of red, green and blue
    facts.grey = bool((spread <= GREY_TOLERANCE).all())
    facts.look = duplicates.make_thumbnail(pixels)


class Alike(NamedTuple):
    """Pictures that are the same, or nearly."""

    pictures: list[Facts]
    exact: bool  # the same to the pixel, all of them


class Survey:
    """A whole data set: the facts of all its pictures together."""

    def __init__(
        self,
        facts: Sequence[Facts],
        image_size: int = 64,
        left_out: Sequence[str] = (),
        total: int | None = None,
    ) -> None:
        self.facts = facts
        self.image_size = image_size
        self.left_out = list(left_out)
        self.total = len(facts) if total is None else total  # where not all were looked at
        self.good = [each for each in facts if not each.broken]
        self.broken = [each for each in facts if each.broken]
        self.files = any(each.format for each in facts)  # else nobody can delete or convert them
        self.kinds = dict(sorted(Counter(facts.kind for facts in self.good).items()))
        sizes = np.array([(facts.width, facts.height) for facts in self.good]).reshape(-1, 2)
        self.short = sizes.min(1)
        self.long = sizes.max(1)
        self.lost = 1 - self.short / np.maximum(self.long, 1)  # share outside the middle square
        self.grey = np.array([facts.grey for facts in self.good], bool)
        self.transparent = np.array([facts.transparent for facts in self.good], bool)
        self.light = np.array([facts.mean for facts in self.good]).reshape(-1, 3).mean(1)
        self.contrast = np.array([facts.std for facts in self.good]).reshape(-1, 3).mean(1)

    def names(self, which: Any) -> tuple[str, ...]:
        """The names of some of the pictures that can be read."""
        return tuple(facts.name for facts, yes in zip(self.good, which, strict=True) if yes)

    @cached_property
    def looks(self) -> duplicates.Thumbnails:
        empty = np.empty(0, duplicates.THUMBNAIL)
        return np.stack([facts.look for facts in self.good]) if self.good else empty

    @cached_property
    def plain(self) -> Any:
        return duplicates.is_plain(self.looks)

    @cached_property
    def copies(self) -> Any:
        return duplicates.find_exact_copies(self.looks)

    @cached_property
    def groups(self) -> Any:
        return duplicates.group_near_duplicates(self.looks)

    @cached_property
    def likeness(self) -> float:
        return duplicates.mean_correlation(self.looks)

    @property
    def different(self) -> int:
        """Pictures, copies counted once; as many of each hundred as among those looked at."""
        groups = len(np.unique(self.groups))
        return round(groups * self.total / len(self.facts)) if self.facts else 0

    @property
    def exact(self) -> int:
        """Pictures that are, to the pixel, another one again."""
        return len(self.good) - len(np.unique(self.copies))

    @property
    def near(self) -> int:
        """Further ones that are nearly another one again."""
        return len(self.good) - self.exact - len(np.unique(self.groups))

    def alike_groups(self) -> list[Alike]:
        """Every group of two or more, the largest first."""
        members: dict[int, list[int]] = {}
        for place, group in enumerate(self.groups.tolist()):
            members.setdefault(group, []).append(place)
        alike = [
            Alike([self.good[place] for place in group], len(np.unique(self.copies[group])) == 1)
            for group in members.values()
            if len(group) > 1
        ]
        return sorted(alike, key=lambda group: len(group.pictures), reverse=True)

    @cached_property
    def average(self) -> Any:
        """All pictures averaged, as a thumbnail (SIDE, SIDE, 3) of floats."""
        return self.looks["pixels"].mean(0) if self.good else np.zeros((16, 16, 3))

    def same_when(self, turn: Callable[[Any], Any]) -> bool:
        """Whether, on the whole, the pictures would be the same after a turn."""
        if len(self.good) < ENOUGH:
            return False
        grey = self.looks["pixels"].mean(-1, dtype=np.float32)
        typical = float(np.sqrt(grey.var((1, 2)).mean())) or 1.0
        average = grey.mean(0)
        difference = float((average - turn(average)).std()) / typical
        # Were all as likely turned as not, the average of N would differ by some sqrt(2 / N).
        return difference < 2 * math.sqrt(2 / len(self.good))
