"""Pictures of any kind -> one prepared uint8 cache -> batches.

Every data set is drawn or decoded once, resized, and written to one memory-mapped file in the
user's cache folder, keyed by its contents and settings; a second start finds it at once.
"""

import contextlib
import functools
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import platformdirs
import torch
from PIL import Image, ImageOps

from gankit import randomness
from gankit.errors import GankitError

VERSION = 1  # of the prepared file; a new one prepares anew
CHUNK, PART = 256, 32  # pictures prepared at a time, and by one thread: memory stays the same

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Progress = Callable[[int, int], None]  # told (done, total)


class Prepared(NamedTuple):
    """A data set ready for batches."""

    pixels: Pixels  # (N, H, W, C), mapped from its file
    fingerprint: str
    skipped: list[str]  # broken pictures, and what was wrong with each


def prepare(
    pictures: Sequence[Any], name: str, image_size: int, channels: int, progress: Progress
) -> Prepared:
    """The data set at image_size: found in the cache, else prepared now.

    `pictures[i]` is a PIL image or a uint8 array (H, W) or (H, W, C) of any size; one that raises
    is skipped and listed. `pictures.fingerprint` tells contents apart; without one, their number
    and the first do. `pictures.batch(indices)`, where there is one, is used for speed.
    """
    first = _fitted(pictures, min(1, len(pictures)), lambda picture: fit(picture, 8, 3))
    contents = getattr(pictures, "fingerprint", "") or [str(pixels) for pixels in first]
    about = json.dumps([VERSION, name, image_size, channels, len(pictures), contents])
    key = hashlib.sha256(about.encode()).hexdigest()[:20]
    cache = Path(os.environ.get("GANKIT_CACHE") or platformdirs.user_cache_dir("gankit"))
    folder = cache / "pictures" / key
    try:
        if not folder.exists():
            _write(pictures, folder, lambda p: fit(p, image_size, channels), progress)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        count, skipped = manifest["count"], manifest["skipped"]
        if not count:
            why = next(iter(skipped), "it is empty")
            raise GankitError(f"data set {name!r} has no usable pictures; {why}")
        shape = (count, image_size, image_size, channels)
        return Prepared(np.memmap(folder / "pixels.u8", np.uint8, "r", shape=shape), key, skipped)
    except (OSError, ValueError, KeyError) as error:
        why = f"{getattr(error, 'strerror', None) or error}; delete it, or set GANKIT_CACHE"
        raise GankitError(f"cannot prepare pictures in {folder}: {why} to another") from error


def _write(
    pictures: Sequence[Any], folder: Path, fit: Callable[[Any], Pixels], progress: Progress
) -> None:
    """Prepare all pictures into a folder written aside and renamed: it is there whole or not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix="preparing-", dir=folder.parent))
    total, skipped = len(pictures), []
    try:
        with (aside / "pixels.u8").open("wb") as file:  # through a map, a full disk is a SIGBUS
            for done, pixels in enumerate(_fitted(pictures, total, fit), start=1):
                if isinstance(pixels, str):
                    skipped.append(pixels)
                else:
                    file.write(pixels.tobytes())
                if done % CHUNK == 0 or done == total:
                    progress(done, total)
            file.flush()
            os.fsync(file.fileno())
        manifest = json.dumps({"count": total - len(skipped), "skipped": skipped}, indent=1)
        (aside / "manifest.json").write_text(manifest, encoding="utf-8")
        with contextlib.suppress(OSError):  # another run was first
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fitted(
    pictures: Sequence[Any], count: int, fit: Callable[[Any], Pixels]
) -> Iterator[Pixels | str]:
    """The first `count` pictures, fitted by all cores; for a broken one, what was wrong."""

    def some(indices: range) -> list[Pixels | str]:
        if hasattr(pictures, "batch"):  # a data set that is faster at many together
            return [fit(picture) for picture in pictures.batch(indices)]
        return [one(index) for index in indices]

    def one(index: int) -> Pixels | str:
        try:
            return fit(pictures[index])
        except Exception as error:  # a broken picture may raise anything; it ends no run
            names = getattr(pictures, "names", None)
            return f"{names[index] if names else f'picture {index}'}: {error}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, CHUNK):
            chunk = range(start, min(start + CHUNK, count))
            parts = [chunk[i : i + PART] for i in range(0, len(chunk), PART)]
            yield from itertools.chain.from_iterable(pool.map(some, parts))


def fit(picture: Any, size: int, channels: int) -> Pixels:
    """One picture as uint8 (size, size, channels): the middle square, resized with antialiasing."""
    picture = picture[0] if isinstance(picture, tuple) else picture  # torchvision: (image, class)
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture[:, :, 0] if picture.shape[2:] == (1,) else picture)
    image = picture.convert("L" if channels == 1 else "RGB")
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(image, dtype=np.uint8).reshape(size, size, channels)


@dataclass(eq=False)
class Batches:
    """Batches of a prepared set: shuffled anew each epoch, the order a function of (seed, epoch).

    `batches[i]` is the i-th batch of the run, a float tensor (N, C, H, W) in [-1, 1]; an epoch's
    last pictures and the next one's first share a batch, so none is left out.
    """

    pixels: Pixels
    batch_size: int
    seed: int
    device: torch.device | str = "cpu"
    memory_format: torch.memory_format = torch.channels_last

    def __post_init__(self) -> None:
        if len(self.pixels) < self.batch_size:
            few = f"{len(self.pixels)} pictures are fewer than a batch of {self.batch_size}"
            raise GankitError(f"{few}: add pictures or use --batch-size {len(self.pixels)}")

    @functools.lru_cache(maxsize=2)  # noqa: B019 - a run has one Batches, two epochs meet in it
    def _order(self, epoch: int) -> Pixels:
        random = randomness.generator(self.seed, epoch, "order of pictures")
        return torch.randperm(len(self.pixels), generator=random).numpy()

    def __getitem__(self, batch: int) -> torch.Tensor:
        count, start = len(self.pixels), batch * self.batch_size
        places = [divmod(place, count) for place in range(start, start + self.batch_size)]
        pixels = self.pixels[[self._order(epoch)[place] for epoch, place in places]]
        images = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)  # from (N, H, W, C)
        return images.float().div_(127.5).sub_(1).contiguous(memory_format=self.memory_format)
