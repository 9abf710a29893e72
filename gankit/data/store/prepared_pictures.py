"""Pictures of any kind -> one memory-mapped file in the cache, written completely or not at all.

A data set, `pictures`, has a length and an index: `pictures[i]` is a PIL image or a uint8 array
(H, W) or (H, W, C) of any size; one that raises is skipped and listed. It may have more attributes:

- `fingerprint`, a text that identifies the contents, or a method that returns it. Without it,
  their number and the first picture do.
- `batch(indices)`, which returns many pictures faster than one by one.
- `where(i)`, (top, left, bottom, right): the region of one large picture that i shows.
- `opened(i)`, a context manager that gives picture i. Until it ends, the picture's pixels count
  as in flight, which bounds the memory that all threads take.
- `moment(i)`, (film, ms): when a frame of a film is seen; (-1, 0) for a picture of none; or
  None if there are no films.
- `notes`: lines about what was decided for all pictures while they were read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import itertools
import json
import logging
import math
import os
import shutil
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gankit.core.contracts.prepared import Pixels, Rows
from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import open_atomically, retry_while_locked, write_atomically
from gankit.core.files.read_json import Types, is_list_of, read_json_object
from gankit.core.progress import Progress
from gankit.core.run.image_size import ImageSize
from gankit.data.alpha import ALPHA
from gankit.data.messages import (
    MOVE_CACHE,
    NOT_TRANSPARENT,
    mostly_broken,
    nearly_grey,
    shorten,
    skipped_line,
)
from gankit.data.read.colour import find_colour
from gankit.data.read.in_flight import opened
from gankit.data.store import duplicates
from gankit.data.store.cache_folder import cache_folder
from gankit.data.store.leftovers import remove_leftovers, unfinished_folder

log = logging.getLogger("gankit")
VERSION = 3  # of the prepared file; increase it to prepare all pictures again
MANIFEST = "the manifest of prepared pictures"
MANIFEST_TYPES: dict[str, Types] = {
    "shape": list, "fingerprint": str, "skipped": list, "notes": list,
}  # fmt: skip
CHUNK = 256  # pictures prepared at a time, which limits the memory
BOX = ("source", "left", "top", "right", "bottom")
PICTURES_PER_THREAD = 16  # of a chunk, before a thread takes more

Transform = Callable[[Any], list[tuple[Pixels, Any]]]  # picture -> fitted pixels, each with its box


@dataclass(frozen=True)
class PixelSettings:
    """What the prepared pixels depend on, besides the pictures."""

    name: str
    image_size: int | str  # as in Run
    channels: int  # 0: as the pictures are
    fit: str
    background: str
    resample: str = "lanczos"
    label: str = ""  # the name in messages; the pixels do not depend on it

    @property
    def size(self) -> ImageSize:
        return ImageSize.parse(self.image_size)


class CachedPictures(NamedTuple):
    """The prepared pictures, as they are in the cache."""

    pixels: Pixels  # (N, H, W, C), memory-mapped
    groups: Rows  # (N,), equal for near duplicates
    boxes: Any  # (N, 5), the source and the region's first and last corner in it; or None
    moments: Any  # (N, 2), the film (-1: none) and the time in ms of a frame in it; or None
    fingerprint: str  # of the pixels
    skipped: list[str]  # "name: reason"
    notes: list[str]  # what was decided about all pictures
    sources: Rows | None  # (N,), the number of the picture that each is or is a patch of


def load_or_prepare(
    pictures: Sequence[Any], settings: PixelSettings, transform: Transform, progress: Progress
) -> CachedPictures:
    """The pictures as one file, from the cache if it is there, else prepared now.

    Raises GankitError if most pictures are broken, or if the cache cannot be written or read.
    """
    contents = own_fingerprint(pictures) or _hash_first_picture(pictures, transform)
    count = len(pictures)
    folder = _prepared_folder(settings, count, contents)
    auto_settings = dataclasses.replace(settings, channels=0)
    auto_folder = _prepared_folder(auto_settings, count, contents)
    try:
        if settings.channels and not folder.exists() and auto_folder.exists():
            prepared = _load(auto_folder)  # a resumed run names the channels that "auto" chose
            if prepared.pixels.shape[3] == settings.channels:
                return prepared
        if not folder.exists():
            _prepare(pictures, folder, settings, transform, progress)
        return _load(folder)
    except (GankitError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        line = f"cannot prepare pictures in {folder}: {reason}; delete this folder, or {MOVE_CACHE}"
        raise GankitError(line) from error


def own_fingerprint(pictures: Sequence[Any]) -> Any:
    """The text with which a data set identifies its contents; empty if it has none."""
    fingerprint = getattr(pictures, "fingerprint", "")
    return fingerprint() if callable(fingerprint) else fingerprint


def _prepared_folder(settings: PixelSettings, count: int, contents: str) -> Path:
    *pixel_settings, resample, _ = dataclasses.astuple(settings)
    if resample != PixelSettings.resample:  # the default is not in the key, as it was before
        pixel_settings.append(resample)
    key = json.dumps([VERSION, pixel_settings, count, contents])
    return cache_folder("pictures", hashlib.sha256(key.encode()).hexdigest()[:20])


def _hash_first_picture(pictures: Sequence[Any], transform: Transform) -> str:
    with contextlib.suppress(Exception):  # if it is broken, the number of pictures must do
        pixels, _ = transform(pictures[0])[0]
        return hashlib.sha256(pixels.tobytes()).hexdigest()
    return ""


def _load(folder: Path) -> CachedPictures:
    """The pictures in a folder of the cache; GankitError if its files do not fit together."""
    try:
        return _read_folder(folder)
    except (ValueError, KeyError, EOFError) as error:
        raise GankitError(str(error)) from error


def _read_folder(folder: Path) -> CachedPictures:
    manifest = read_json_object(folder / "manifest.json", MANIFEST, MANIFEST_TYPES)
    shape = manifest["shape"]
    if not is_list_of(shape, int) or math.prod(shape) != (folder / "pixels.u8").stat().st_size:
        raise ValueError("the file of the pixels has another size than manifest.json says")
    return CachedPictures(
        pixels=np.memmap(folder / "pixels.u8", np.uint8, "r", shape=tuple(shape)),
        groups=np.load(folder / "groups.npy"),
        boxes=_load_if_there(folder / "boxes.npy"),
        moments=_load_if_there(folder / "moments.npy"),
        fingerprint=manifest["fingerprint"],
        skipped=manifest["skipped"],
        notes=manifest["notes"],
        sources=_load_sources(folder, shape[0], manifest),
    )


def _load_if_there(path: Path) -> Any:
    return np.load(path) if path.exists() else None


def _load_sources(folder: Path, count: int, manifest: dict[str, Any]) -> Rows | None:
    """The sources of `count` pictures; None if they are not known, as in older folders."""
    file = folder / "sources.npy"
    if file.exists():
        return np.asarray(np.load(file), np.int64)
    are_cut = any((folder / name).exists() for name in ("boxes.npy", "moments.npy"))
    return None if manifest["skipped"] or are_cut else np.arange(count)


def _prepare(
    pictures: Sequence[Any],
    folder: Path,
    settings: PixelSettings,
    transform: Transform,
    progress: Progress,
) -> None:
    """Prepare all pictures into a temporary folder, and rename it when it is complete."""
    label = shorten(settings.label or settings.name)
    log.info("preparing %s pictures of %s", f"{len(pictures):,}", label)
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers()
    _check_disk(folder.parent, len(pictures), settings)
    with unfinished_folder(folder.parent) as aside:
        total = len(pictures)
        # Not through a memory map: on a full disk that would be a SIGBUS.
        with open_atomically(aside / "pixels.u8") as file:
            writer = _Writer(aside, file, settings)
            for done, result in enumerate(_transform_all(pictures, transform), start=1):
                writer.add(done - 1, result)
                if done % CHUNK == 0 or done == total:
                    progress(done, total)
        writer.notes += getattr(pictures, "notes", ())
        writer.finish(total)
        try:
            retry_while_locked(lambda: aside.rename(folder))
        except OSError:
            if not folder.exists():  # else another run was first
                raise


def _check_disk(folder: Path, count: int, settings: PixelSettings) -> None:
    """GankitError if the disk has no room for this number of pictures."""
    needed = count * settings.size.area * (settings.channels or 3)
    free = shutil.disk_usage(folder).free
    if needed > free:
        numbers = f"need {needed / 1e9:,.0f} GB in {folder}, which has {free / 1e9:,.1f} GB free"
        what = f"{count:,} pictures of --image-size {settings.image_size}"
        raise GankitError(f"{what} {numbers}: use a smaller size or fewer, or {MOVE_CACHE}")


class _Writer:
    """Writes prepared pictures one after another, and in the end what is known about them."""

    def __init__(self, folder: Path, file: BinaryIO, settings: PixelSettings) -> None:
        self.folder = folder
        self.file = file
        self.settings = settings
        self.all_grey = settings.channels == 0  # until a picture with a colour comes
        self.strongest_tint = 0.0  # of the grey pictures
        self.notes: list[str] = []
        self.thumbnails = bytearray()  # 776 bytes a picture; single arrays would take more
        self.boxes: list[Any] = []
        self.sources = array("q")  # the number of each picture's source
        self.skipped: list[str] = []
        self.hash = hashlib.sha256()
        self.is_opaque = settings.channels == ALPHA  # until a picture that is not comes

    def add(self, source: int, result: list[tuple[Pixels, Any]] | str) -> None:
        """Add what was made of picture `source`, or the line that says why it is skipped."""
        if isinstance(result, str):
            self.skipped.append(result)
            return
        for pixels, box in result:
            if self.all_grey:
                colour = find_colour(pixels)
                self.all_grey = colour.is_grey
                self.strongest_tint = max(self.strongest_tint, colour.tint)
            self.is_opaque = self.is_opaque and bool((pixels[..., 3] == 255).all())
            self.file.write(pixels.tobytes())
            self.hash.update(pixels.data)
            self.thumbnails += duplicates.make_thumbnail(pixels).tobytes()
            self.boxes.append(box)
            self.sources.append(source)

    def finish(self, total: int) -> None:
        """Write everything but the pixels, which are on the disk."""
        self._refuse_mostly_broken(total)
        settings = self.settings
        thumbnails = np.frombuffer(self.thumbnails, duplicates.THUMBNAIL)
        count = len(thumbnails)
        channels = settings.channels or (1 if self.all_grey else 3)
        if channels == 1 and not settings.channels:
            self._keep_one_channel(count)
            if self.strongest_tint:
                self.notes.append(nearly_grey(self.strongest_tint))
        if self.is_opaque:
            self.notes.append(NOT_TRANSPARENT)
        _save_array(self.folder / "groups.npy", duplicates.group_near_duplicates(thumbnails))
        if self.boxes[0] is not None:
            name = "boxes.npy" if len(self.boxes[0]) == len(BOX) else "moments.npy"
            _save_array(self.folder / name, np.asarray(self.boxes, np.int32))
        if self.boxes[0] is not None or self.skipped:  # else picture k is made of source k
            _save_array(self.folder / "sources.npy", np.asarray(self.sources, np.int64))
        manifest = {
            "shape": [count, settings.size.height, settings.size.width, channels],
            "fingerprint": self.hash.hexdigest()[:20],
            "settings": dataclasses.asdict(settings),
            "skipped": self.skipped,
            "notes": self.notes,
        }
        write_atomically(self.folder / "manifest.json", json.dumps(manifest, indent=1))

    def _refuse_mostly_broken(self, total: int) -> None:
        name = self.settings.label or self.settings.name
        broken = len(self.skipped)
        if not self.thumbnails:
            reason = f"the first: {self.skipped[0]}" if self.skipped else "it is empty"
            raise GankitError(f"data set {shorten(name)!r} has no usable pictures; {reason}")
        if broken > total / 2:
            raise GankitError(mostly_broken(name, broken, total, self.skipped[0]))

    def _keep_one_channel(self, count: int) -> None:
        """Rewrite the file as grey: no picture in it has a colour."""
        size = self.settings.size
        path = self.folder / "pixels.u8"
        rgb = np.memmap(path, np.uint8, "r", shape=(count, size.height, size.width, 3))
        self.hash = hashlib.sha256()  # as if the pictures had been prepared in grey
        with open_atomically(path) as file:
            for start in range(0, count, CHUNK):
                grey = rgb[start : start + CHUNK, :, :, 1].tobytes()
                file.write(grey)
                self.hash.update(grey)
            del rgb  # Windows cannot replace a mapped file


def _save_array(path: Path, array: NDArray[Any]) -> None:
    file = io.BytesIO()  # into an open file, NumPy reports a full disk without its reason
    np.save(file, array)
    write_atomically(path, file.getvalue())


def _find_place(pictures: Sequence[Any], index: int) -> tuple[int, ...] | None:
    """The source and region, or the film and time, that a data set knows of a picture."""
    if hasattr(pictures, "where"):  # all are patches of one picture, source 0
        return 0, *pictures.where(index)
    place: tuple[int, ...] | None = pictures.moment(index) if hasattr(pictures, "moment") else None
    return place


def _read_batch(pictures: Sequence[Any], indices: range) -> list[Any] | None:
    """Many pictures at once; None if the data set cannot, or if one of them is broken."""
    if not hasattr(pictures, "batch"):
        return None
    try:
        batch = list(pictures.batch(list(indices)))
    except Exception:  # a picture may raise anything, and must not end the run
        return None
    if len(batch) != len(indices):
        raise ValueError(f"batch() returned {len(batch)} pictures for {len(indices)} indices")
    return batch


def _transform_all(
    pictures: Sequence[Any], transform: Transform
) -> Iterator[list[tuple[Pixels, Any]] | str]:
    """Every picture transformed, on all cores; for a broken one, the line that says why."""
    names = getattr(pictures, "names", None)

    def transform_many(indices: range) -> list[Any]:
        batch = _read_batch(pictures, indices)
        if batch is None:
            return [transform_one(index) for index in indices]
        return list(map(transform_picture, indices, batch))

    def transform_picture(index: int, picture: Any) -> list[tuple[Pixels, Any]]:
        place = _find_place(pictures, index)
        return [(pixels, place or (box and (index, *box))) for pixels, box in transform(picture)]

    def transform_one(index: int) -> Any:
        try:
            with opened(pictures, index) as picture:
                return transform_picture(index, picture)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a picture may raise anything, and must not end the run
            name = names[index] if names else f"picture {index}"
            return skipped_line(name, error)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pictures), CHUNK):
            chunk = range(start, min(start + CHUNK, len(pictures)))
            parts = [
                chunk[first : first + PICTURES_PER_THREAD]
                for first in range(0, len(chunk), PICTURES_PER_THREAD)
            ]
            yield from itertools.chain.from_iterable(pool.map(transform_many, parts))
