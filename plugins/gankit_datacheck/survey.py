"""Facts about each picture of a data set, read on all cores, and statistics over all of them."""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from gankit.core.progress import Progress, no_progress
from gankit.core.run.image_size import ImageSize
from gankit.data.alpha import ALPHA
from gankit.data.read.arrays import ArrayFile
from gankit.data.read.colour import NO_COLOUR, Colour, find_colour
from gankit.data.read.fit import fit
from gankit.data.read.formats import open_as, recognise
from gankit.data.read.in_flight import DECODING, opened
from gankit.data.read.limits import check_cost, check_icon
from gankit.data.read.upright import ORIENTATION
from gankit.data.store import duplicates
from gankit_datacheck.mirroring import NO_DIFFERENCE, Difference, find_difference
from gankit_datacheck.pixel_art import Art, find_art

SIDE = 64  # px at which pictures are examined, so that statistics do not depend on --image-size
BINS = 32  # of the colour histograms
MAX_DRAWN = 2000  # pictures examined of a data set that draws them on demand
CHUNK = 16  # pictures that a thread examines at a time
MIN_PICTURES_FOR_AVERAGE = 100  # with fewer, the average says nothing
PAGED = ("GIF", "WEBP", "PNG", "AVIF")  # formats of which one page is used
MIN_CLEAR = 0.02  # share of a picture's pixels; rounded corners have less
MOST = 0.5  # of the pictures: from this share on, a trait is that of the set
MAX_MIRRORED = 300  # pictures compared with their mirror images, at equal distances
NETPBM = {"1": "PBM", "L": "PGM", "I": "PGM", "F": "PFM"}  # by Pillow's mode; the others are PPM
FRAME = "film frames"  # in place of a format
SIDEWAYS = 5  # EXIF orientations from here on swap width and height
TIFF_WIDTH = 256
TIFF_HEIGHT = 257


@dataclass
class Facts:
    """Facts about one picture; those of files stay empty for a picture drawn on demand."""

    index: int  # in its data set
    name: str
    class_name: str = ""  # its class folder
    format: str = ""  # "JPEG", whatever the file's extension
    width: int = 0  # after the rotation that EXIF asks for
    height: int = 0
    mode: str = ""  # of the file: RGB, L, CMYK, ...
    bytes: int = 0
    transparent: bool = False  # at least partly
    clear: float = 0.0  # share of its pixels that are more transparent than opaque
    art: Art | None = None  # if it is pixel art
    pages: int = 1  # of a TIFF, or frames of an animation
    grey: bool = False
    colour: Colour = NO_COLOUR  # how strong it is
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)  # red, green, blue; levels of 255
    std: tuple[float, ...] = (0.0, 0.0, 0.0)
    histogram: Any = None  # (3, BINS), shares of the picture
    look: Any = field(default=None, repr=False)  # duplicates.make_thumbnail
    pixels: Any = field(default=None, repr=False)  # (SIDE, SIDE, 3), for at most MAX_MIRRORED
    broken: str = ""  # the reason if it cannot be read


def examine(files: Sequence[Any], progress: Progress = no_progress) -> list[Facts]:
    """The facts of every picture; broken pictures do not raise.

    Of a data set without files, at most MAX_DRAWN pictures are examined, at equal distances.
    """
    count = len(files)
    indices: Sequence[int] = range(count)
    if not hasattr(files, "paths") and count > MAX_DRAWN:
        indices = np.linspace(0, count - 1, MAX_DRAWN).astype(int).tolist()
    chunks = [indices[start : start + CHUNK] for start in range(0, len(indices), CHUNK)]
    with_pixels = set(indices[:: max(1, math.ceil(len(indices) / MAX_MIRRORED))])
    facts: list[Facts] = []
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        # You cannot act on warnings about file headers.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for chunk_facts in pool.map(partial(_examine_chunk, files), chunks):
            facts += chunk_facts
            for item in chunk_facts:
                item.pixels = item.pixels if item.index in with_pixels else None
            progress(len(facts), len(indices))
    return facts


def _examine_chunk(files: Sequence[Any], indices: Sequence[int]) -> list[Facts]:
    if not hasattr(files, "batch"):
        return [_examine_picture(files, index, files) for index in indices]
    batch = files.batch(indices)  # faster than one picture after another
    pictures = dict(zip(indices, batch, strict=True))
    return [_examine_picture(files, index, pictures) for index in indices]


def _examine_picture(files: Any, index: int, pictures: Any) -> Facts:
    """The facts of the picture `pictures[index]`; `files` has its name, class and path."""
    names = getattr(files, "names", None)
    class_names = getattr(files, "classes", None)
    paths = getattr(files, "paths", None)
    facts = Facts(index, names[index] if names else f"picture {index}")
    facts.class_name = class_names[index] if class_names else ""
    array = files.array_of(index) if hasattr(files, "array_of") else None
    if array:
        facts.format = "NPY"
        facts.bytes = array.picture_bytes
        with contextlib.suppress(Exception):  # reading the pixels below reports the error
            _read_alpha_of_array(array, files, facts)
    elif paths:
        with contextlib.suppress(Exception):  # reading the pixels below reports the error
            _read_header(paths[index], facts)
    if paths and getattr(files, "moments", None) and files.moments[index]:
        facts.format = FRAME
    try:
        with opened(pictures, index) as picture:
            if not facts.width:
                facts.height, facts.width = _shape(picture)
            _read_pixels(fit(picture, SIDE, 3), facts)
            if isinstance(picture, Image.Image):
                facts.art = find_art(picture)
    except Exception as error:  # Pillow may raise anything for a broken picture
        facts.broken = " ".join(str(error).split()) or type(error).__name__
    return facts


def _read_header(path: str | Path, facts: Facts) -> None:
    path = Path(path)
    facts.bytes = path.stat().st_size
    if not path.is_file():
        return
    with path.open("rb") as file:
        facts.format = recognise(file)
        check_icon(facts.format, file)
        with open_as(facts.format, file) as image:
            check_cost(image, file)
            facts.pages = _count_pages(image, file)
            _read_image_header(image, facts)


def _count_pages(image: Image.Image, file: BinaryIO) -> int:
    if image.format == "TIFF":
        import tifffile  # Pillow would take 20 s for 65,535 pages, 400 times as long

        with contextlib.suppress(Exception):  # a kind that only Pillow reads
            file.seek(0)
            return len(tifffile.TiffFile(file).pages)
    return getattr(image, "n_frames", 1) if image.format in PAGED else 1


def _read_image_header(image: Image.Image, facts: Facts) -> None:
    facts.format = NETPBM.get(image.mode, "PPM") if image.format == "PPM" else str(image.format)
    facts.mode = image.mode
    size = _stored_size(image)
    with contextlib.suppress(Exception):  # broken EXIF data
        if image.getexif().get(ORIENTATION, 1) >= SIDEWAYS:
            size = size[::-1]
    facts.width, facts.height = size
    if image.has_transparency_data:
        with DECODING.take(image.width * image.height):
            _read_alpha(image if "A" in image.getbands() else image.convert("RGBA"), facts)


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Width and height before the rotation of EXIF, which newer Pillows apply to a TIFF's size."""
    tags: Any = getattr(image, "tag_v2", {})
    width, height = image.size
    return tags.get(TIFF_WIDTH, width), tags.get(TIFF_HEIGHT, height)


def _read_alpha_of_array(array: ArrayFile, files: Any, facts: Facts) -> None:
    """The transparency of a picture in an array, which would else be shown on the background."""
    if array.layout and array.layout.channels == ALPHA:
        with array.opened(files.parts[facts.index], None, files.ranges) as picture:
            _read_alpha(picture, facts)


def _read_alpha(image: Image.Image, facts: Facts) -> None:
    counts = image.getchannel("A").histogram()
    facts.transparent = sum(counts[:255]) > 0
    facts.clear = sum(counts[:128]) / sum(counts)


def _shape(picture: Any) -> tuple[int, int]:
    """Height and width of an item of a data set: a picture, or (picture, label)."""
    picture = picture[0] if isinstance(picture, tuple) else picture
    return picture.size[::-1] if isinstance(picture, Image.Image) else picture.shape[:2]


def _read_pixels(pixels: Any, facts: Facts) -> None:
    counts = np.array(Image.fromarray(pixels).histogram(), float).reshape(3, 256) / SIDE**2
    levels = np.arange(256)
    mean = counts @ levels
    facts.mean = tuple(mean.tolist())
    facts.std = tuple(np.sqrt(np.maximum(counts @ levels**2 - mean**2, 0)).tolist())
    facts.histogram = counts.reshape(3, BINS, -1).sum(2)
    facts.colour = find_colour(pixels)
    facts.grey = facts.colour.is_grey
    facts.look = duplicates.make_thumbnail(pixels)
    facts.pixels = pixels


def _is_common(have_it: Iterable[bool]) -> bool:
    """Whether more than half of the pictures have a trait."""
    values = [bool(value) for value in have_it]
    return sum(values) > MOST * len(values)


class DuplicateGroup(NamedTuple):
    """Pictures that are copies of each other."""

    pictures: list[Facts]
    exact: bool  # all have the same pixels


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What `gankit run` does with these pictures if you give no other options."""

    recipe: str = "small-data"  # "": none, only gankit's default model
    batch_size: int = 32
    flip: bool = True


class Survey:
    """Statistics over the facts of all pictures of a data set."""

    def __init__(
        self,
        facts: Sequence[Facts],
        image_size: int | str = 64,
        left_out: Sequence[str] = (),
        total: int | None = None,
        notes: Sequence[str] = (),
        defaults: Defaults = Defaults(),
        file_notes: Sequence[str] = (),
    ) -> None:
        self.facts = facts
        self.image_size = image_size
        self.left_out = list(left_out)
        self.notes = list(notes)  # what was decided about all pictures
        self.defaults = defaults
        self.file_notes = list(file_notes)  # arrays, films and tables of labels
        # More than were examined, if pictures are drawn on demand.
        self.total = len(facts) if total is None else total
        self.good = [item for item in facts if not item.broken]
        self.broken = [item for item in facts if item.broken]
        self.files = any(item.format for item in facts)  # else they are drawn on demand
        self.are_frames = _is_common(item.format == FRAME for item in self.good)
        self.class_sizes = dict(sorted(Counter(item.class_name for item in self.good).items()))
        self.sizes = np.array([(facts.width, facts.height) for facts in self.good]).reshape(-1, 2)
        self.short = self.sizes.min(1)
        self.long = self.sizes.max(1)
        self.grey = np.array([facts.grey for facts in self.good], bool)
        self.transparent = np.array([facts.transparent for facts in self.good], bool)
        self.clear = np.array([facts.clear for facts in self.good])
        self.is_transparent = _is_common(self.clear >= MIN_CLEAR)
        self.is_pixel_art = _is_common(facts.art is not None for facts in self.good)
        self.brightness = np.array([facts.mean for facts in self.good]).reshape(-1, 3).mean(1)
        self.contrast = np.array([facts.std for facts in self.good]).reshape(-1, 3).mean(1)

    @property
    def size(self) -> ImageSize:
        return ImageSize.parse(self.image_size)

    @property
    def scale(self) -> Any:
        """How many times each picture is as large as the image size, after the crop."""
        return self.scale_to(self.size)

    def scale_to(self, size: ImageSize) -> Any:
        """How many times each picture is as large as this size, after the crop."""
        return (self.sizes / (size.width, size.height)).min(1)

    @property
    def usual_scale(self) -> float:
        """How many times as large as the image size all pictures are, but for the smallest."""
        return float(np.percentile(self.scale, 5))

    @property
    def too_small(self) -> Any:
        """Which pictures must be enlarged."""
        return self.scale < 1

    @property
    def crop_loss(self) -> Any:
        """The share of each picture's area that is cropped away."""
        return self.crop_loss_at(self.size)

    def crop_loss_at(self, size: ImageSize) -> Any:
        """The share of each picture's area that is cropped away with this image size."""
        return 1 - self.scale_to(size) ** 2 * size.area / np.maximum(self.sizes.prod(1), 1)

    def names(self, mask: Any) -> tuple[str, ...]:
        """The names of the readable pictures for which the mask is true."""
        pairs = zip(self.good, mask, strict=True)
        return tuple(facts.name for facts, is_chosen in pairs if is_chosen)

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
        """Number of pictures, copies counted once; scaled up if only a sample was examined."""
        groups = len(np.unique(self.groups))
        return round(groups * self.total / len(self.facts)) if self.facts else 0

    @property
    def exact(self) -> int:
        """Number of pictures with the same pixels as another one."""
        return len(self.good) - len(np.unique(self.copies))

    @property
    def near(self) -> int:
        """Number of further pictures that are nearly the same as another one."""
        return len(self.good) - self.exact - len(np.unique(self.groups))

    def duplicate_groups(self) -> list[DuplicateGroup]:
        """All groups of two or more copies, the largest first."""
        members: dict[int, list[int]] = {}
        for index, group in enumerate(self.groups.tolist()):
            members.setdefault(group, []).append(index)
        duplicate_groups = []
        for indices in members.values():
            if len(indices) > 1:
                pictures = [self.good[index] for index in indices]
                is_exact = len(np.unique(self.copies[indices])) == 1
                duplicate_groups.append(DuplicateGroup(pictures, is_exact))
        return sorted(duplicate_groups, key=lambda group: len(group.pictures), reverse=True)

    @cached_property
    def mirroring(self) -> Difference:
        """How mirrored pictures differ from these."""
        is_first = self.copies == np.arange(len(self.good))
        is_different = self.groups == np.arange(len(self.good))
        rows = [
            index
            for index in np.flatnonzero(is_first & ~self.plain)
            if self.good[index].pixels is not None
        ]
        if not rows:
            return NO_DIFFERENCE
        pictures = np.stack([self.good[index].pixels for index in rows])
        return find_difference(pictures, pictures[is_different[rows]])

    @cached_property
    def average(self) -> Any:
        """All pictures averaged, as a thumbnail (SIDE, SIDE, 3) of floats."""
        return self.looks["pixels"].mean(0) if self.good else np.zeros((16, 16, 3))

    def looks_the_same_after(self, turn: Callable[[Any], Any]) -> bool:
        """Whether the average picture looks the same after a flip or a rotation."""
        if len(self.good) < MIN_PICTURES_FOR_AVERAGE:
            return False
        grey = self.looks["pixels"].mean(-1, dtype=np.float32)
        typical = float(np.sqrt(grey.var((1, 2)).mean())) or 1.0
        average = grey.mean(0)
        difference = float((average - turn(average)).std()) / typical
        # If each were turned with probability 1/2, averages of N would differ by about sqrt(2 / N).
        return difference < 2 * math.sqrt(2 / len(self.good))
