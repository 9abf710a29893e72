"""Pictures of any kind -> one memory-mapped file in the cache, written whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from gankit.core.atomic_write import open_atomically, write_atomically
from gankit.core.errors import GankitError
from gankit.core.prepared import Pixels, Rows
from gankit.core.stop import Progress
from gankit.data.read.fit import COLOUR
from gankit.data.store import duplicates
from gankit.data.store.cache import cache_folder

log = logging.getLogger("gankit")
VERSION = 2  # of the prepared file; a new one prepares anew
CHUNK, PART = 256, 16  # pictures prepared at a time, and by one thread: memory stays the same

Cutter = Callable[[Any], list[tuple[Pixels, Any]]]  # picture -> fitted pixels, each with its box


@dataclass(frozen=True)
class Settings:
    """What the prepared pixels depend on, besides the pictures."""

    name: str
    image_size: int
    channels: int  # 0: as the pictures are
    fit: str
    background: str


class Written(NamedTuple):
    """What lies in the cache."""

    pixels: Pixels  # (N, H, W, C), mapped
    groups: Rows  # (N,), equal for near duplicates
    boxes: Any  # (N, 5), or None: which source, and the region's first and last corner in it
    fingerprint: str
    skipped: list[str]


def written(
    pictures: Sequence[Any], settings: Settings, cutter: Cutter, progress: Progress
) -> Written:
    """The pictures as one file: found in the cache, else written now.

    `pictures[i]` is a PIL image or a uint8 array (H, W) or (H, W, C) of any size; one that raises
    is skipped and listed. `pictures.fingerprint` tells contents apart; without one, their number
    and the first do. `pictures.batch(indices)`, where there is one, is used for speed, and
    `pictures.where(i)` (top, left, bottom, right) is the region of one large picture that i shows.
    """
    contents = getattr(pictures, "fingerprint", "") or _first_pixels(pictures, cutter)
    folder = _place(settings, len(pictures), contents)
    as_they_are = _place(dataclasses.replace(settings, channels=0), len(pictures), contents)
    try:
        if settings.channels and not folder.exists() and as_they_are.exists():
            found = _read(as_they_are)  # a run that goes on asks for the channels found at first
            if found.pixels.shape[3] == settings.channels:
                return found
        if not folder.exists():
            _write(pictures, folder, settings, cutter, progress)
        return _read(folder)
    except (OSError, ValueError, KeyError) as error:
        why = f"{getattr(error, 'strerror', None) or error}; delete it, or set GANKIT_CACHE"
        raise GankitError(f"cannot prepare pictures in {folder}: {why} to another") from error


def _place(settings: Settings, count: int, contents: str) -> Path:
    about = json.dumps([VERSION, dataclasses.astuple(settings), count, contents])
    return cache_folder("pictures", hashlib.sha256(about.encode()).hexdigest()[:20])


def _first_pixels(pictures: Sequence[Any], cutter: Cutter) -> str:
    with contextlib.suppress(Exception):  # a broken one: their number must do
        return hashlib.sha256(cutter(pictures[0])[0][0].tobytes()).hexdigest()
    return ""


def _read(folder: Path) -> Written:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    shape, boxes = tuple(manifest["shape"]), folder / "boxes.npy"
    pixels = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=shape)
    placed = np.load(boxes) if boxes.exists() else None
    groups = np.load(folder / "groups.npy")
    return Written(pixels, groups, placed, manifest["fingerprint"], manifest["skipped"])


def _write(
    pictures: Sequence[Any], folder: Path, settings: Settings, cutter: Cutter, progress: Progress
) -> None:
    """Prepare all pictures into a folder written aside and renamed: it is there whole or not."""
    log.info("preparing %s pictures of %s", f"{len(pictures):,}", settings.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix="preparing-", dir=folder.parent))
    try:
        total = len(pictures)
        # Through a map, a full disk is a SIGBUS.
        with open_atomically(aside / "pixels.u8") as file:
            writer = _Writer(aside, file, settings)
            for done, result in enumerate(_cut(pictures, cutter), start=1):
                writer.take(result)
                if done % CHUNK == 0 or done == total:
                    progress(done, total)
        writer.finish(total)
        with contextlib.suppress(OSError):  # another run was first
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


class _Writer:
    """Writes prepared pictures one after another, and in the end what is known about them."""

    def __init__(self, folder: Path, file: BinaryIO, settings: Settings) -> None:
        self.folder, self.file, self.settings = folder, file, settings
        self.grey = settings.channels == 0  # until a picture with a colour comes
        self.looks = bytearray()  # 776 bytes a picture; as arrays of their own they were more
        self.boxes: list[Any] = []
        self.skipped: list[str] = []
        self.hash = hashlib.sha256()

    def take(self, result: list[tuple[Pixels, Any]] | str) -> None:
        """The pictures cut from one source, or what was wrong with it."""
        if isinstance(result, str):
            self.skipped.append(result)
            return
        for pixels, box in result:
            if self.grey:
                spread = pixels.max(axis=2).astype(int) - pixels.min(axis=2)
                self.grey = bool((spread <= COLOUR).all())
            self.file.write(pixels.tobytes())
            self.hash.update(pixels.data)
            self.looks += duplicates.look(pixels).tobytes()
            self.boxes.append(box)

    def finish(self, total: int) -> None:
        """The pixels are on the disk: write the rest."""
        self._check(total)
        settings, looks = self.settings, np.frombuffer(self.looks, duplicates.LOOK)
        count = len(looks)
        channels = settings.channels or (1 if self.grey else 3)
        if channels == 1 and not settings.channels:
            self._keep_one_channel(count)
        np.save(self.folder / "groups.npy", duplicates.groups(looks))
        if self.boxes[0] is not None:
            np.save(self.folder / "boxes.npy", np.asarray(self.boxes, np.int32))
        manifest = {
            "shape": [count, settings.image_size, settings.image_size, channels],
            "fingerprint": self.hash.hexdigest()[:20],
            "settings": dataclasses.asdict(settings),
            "skipped": self.skipped,
        }
        write_atomically(self.folder / "manifest.json", json.dumps(manifest, indent=1))

    def _check(self, total: int) -> None:
        name, bad = self.settings.name, len(self.skipped)
        if not self.looks:
            why = self.skipped[0] if self.skipped else "it is empty"
            raise GankitError(f"data set {name!r} has no usable pictures; {why}")
        if bad > total / 2:
            most = f"most pictures of {name!r} are broken, {bad:,} of {total:,}"
            raise GankitError(f"{most}; the first: {self.skipped[0]}. See: gankit data check")

    def _keep_one_channel(self, count: int) -> None:
        """Rewrite the file as grey: no picture in it had a colour."""
        size, path = self.settings.image_size, self.folder / "pixels.u8"
        colour = np.memmap(path, np.uint8, "r", shape=(count, size, size, 3))
        self.hash = hashlib.sha256()  # as if they had been prepared in grey
        with open_atomically(path) as file:
            for start in range(0, count, CHUNK):
                grey = colour[start : start + CHUNK, :, :, 1].tobytes()
                file.write(grey)
                self.hash.update(grey)
            del colour  # Windows replaces no mapped file


def _cut(pictures: Sequence[Any], cutter: Cutter) -> Iterator[list[tuple[Pixels, Any]] | str]:
    """What the cutter makes of each picture, on all cores; for a broken one, what was wrong."""
    names, where = getattr(pictures, "names", None), getattr(pictures, "where", None)

    def some(indices: range) -> list[Any]:
        if hasattr(pictures, "batch"):  # a data set that is faster at many together
            return [cutter(picture) for picture in pictures.batch(indices)]
        return [one(index) for index in indices]

    def one(index: int) -> Any:
        try:
            found = cutter(pictures[index])
            if where:  # all are patches of one picture, number 0
                return [(pixels, (0, *where(index))) for pixels, _ in found]
            return [(pixels, box and (index, *box)) for pixels, box in found]
        except Exception as error:  # a broken picture may raise anything; it ends no run
            text = f"{names[index] if names else f'picture {index}'}: {error}"
            return " ".join(text.split())

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pictures), CHUNK):
            chunk = range(start, min(start + CHUNK, len(pictures)))
            parts = [chunk[i : i + PART] for i in range(0, len(chunk), PART)]
            yield from itertools.chain.from_iterable(pool.map(some, parts))
