"""Shards: pictures in many tar files, read one after another and never all prepared."""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from PIL import Image

from gankit.core.errors import GankitError
from gankit.core.progress import Progress, no_progress
from gankit.data.alpha import ALPHA
from gankit.data.messages import MORE_SHARDS, NO_CLASS_FOLDERS
from gankit.data.read.decode import decoded, measure_range
from gankit.data.read.deep import Range, SharedRanges
from gankit.data.shuffle import permutation
from gankit.data.store.split import DEFAULT_SHARE, MAX_WITHOUT_HOLDOUT
from gankit.data.stream.tars import (
    EncodedPicture,
    Shard,
    find_tars,
    index_shards,
    iter_pictures,
    size_and_mtime,
)


class Shards(Sequence[Image.Image]):
    """Pictures in tar files, as the webdataset library writes them: for sets beyond one disk.

    Give them with --data: folders of tars, single ones, or numbered ones, `train-{000..099}.tar`.
    Each is read from its beginning to its end, so storage that is slow at random reads will do.
    Files that are not pictures (classes, captions) are ignored. As a sequence, it is the first
    pictures of each shard. Needs `pip install "gankit[webdataset]"`.

    block: how many consecutive pictures are shuffled together; all of them are in memory.
    sample: how many pictures are prepared, half of them held out, for metrics and previews.
    """

    def __init__(
        self,
        data: tuple[str, ...],
        image_size: int = 64,
        classes: tuple[str, ...] = (),
        background: str = "white",
        channels: int = 3,
        progress: Progress = no_progress,
        block: int = 1024,
        sample: int = 2000,
    ) -> None:
        if classes:
            raise GankitError(f"data set 'shards' {NO_CLASS_FOLDERS}")
        if block < 1 or sample < 1:
            raise ValueError(f"block={block} and sample={sample} must both be 1 or more")
        self.image_size = image_size
        self.background = None if channels == ALPHA else background
        self.block = block
        self.sample = sample
        paths = [path for source in data for path in find_tars(source)]
        self.shards = index_shards(list(dict.fromkeys(paths)), progress)
        self.first_pictures = ShardSample(self, self.shards, [])
        self.ranges = SharedRanges(self.first_pictures.measure_all)
        self.names = self.first_pictures.names
        self.fingerprint = self.first_pictures.fingerprint

    def __len__(self) -> int:
        return len(self.first_pictures)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        return self.first_pictures[index]

    def split(self, share: float, seed: int) -> tuple[list[Shard], list[Shard]]:
        """The shards to train on and those held out: about a `share` of them (-1: a tenth)."""
        total = len(self.shards)
        if share < 0:
            pictures = sum(shard.count for shard in self.shards)
            is_large = pictures > MAX_WITHOUT_HOLDOUT and total > 1
            share = DEFAULT_SHARE if is_large else 0.0
        num_held_out = round(share * total) or (share > 0)
        if num_held_out >= total:
            line = f"--holdout {share:g} of {total} shards leaves none to train on"
            raise GankitError(f"{line}: whole shards are held out, so {MORE_SHARDS}")
        order = permutation(total, seed, 0, "hold-out")
        shuffled = [self.shards[number] for number in order]
        return sorted(shuffled[num_held_out:]), sorted(shuffled[:num_held_out])

    def decode(self, picture: EncodedPicture) -> Image.Image:
        """The decoded picture; a broken one is a ValueError."""
        with self.decoded(picture) as image:
            return image

    def decoded(self, picture: EncodedPicture) -> AbstractContextManager[Image.Image]:
        """The same as `decode`; its pixels count as in flight until the block ends."""
        return decoded(picture.data, self.image_size, self.background, self.ranges)


class ShardSample(Sequence[Image.Image]):
    """The first pictures of each shard, held-out shards first: what is prepared of a streamed set.

    The tars are read on first use: never, if the sample is in the cache already.
    """

    def __init__(self, shards: Shards, train: list[Shard], held_out: list[Shard]) -> None:
        half = shards.sample // 2 if held_out else 0
        counts = [*_spread(held_out, half), *_spread(train, shards.sample - half)]
        self._shards = shards
        self._counts = counts
        self._lock = threading.Lock()
        self.names = [
            f"picture {number} of {shard.path.name}"
            for shard, count in counts
            for number in range(count)
        ]
        self.num_held_out = sum(count for shard, count in counts if shard in held_out)
        contents = [
            (str(shard.path), *size_and_mtime(shard.path), count) for shard, count in counts
        ]
        self.fingerprint = hashlib.sha256(repr(contents).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        with self.opened(index) as picture:
            return picture

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """The picture; until the block ends, its pixels count as in flight."""
        with self._lock:
            encoded = self._encoded_pictures
        return self._shards.decoded(encoded[index])

    @property
    def notes(self) -> list[str]:
        """What the pictures that were decoded so far have in common: lines for the user."""
        return self._shards.ranges.notes

    def measure_all(self) -> Iterator[Range]:
        """The range of each picture of more than 8 bits."""
        for shard, count in self._counts:
            for picture in itertools.islice(iter_pictures(shard), count):
                measured = measure_range(picture.data)
                if measured:
                    yield measured

    @functools.cached_property
    def _encoded_pictures(self) -> list[EncodedPicture]:
        encoded: list[EncodedPicture] = []
        for shard, count in self._counts:
            encoded += itertools.islice(iter_pictures(shard), count)
        return encoded


def _spread(shards: list[Shard], total: int) -> list[tuple[Shard, int]]:
    """Each shard and how many pictures to take of it: about equally many, at most `total`."""
    per_shard = -(-total // max(1, len(shards)))
    counts = []
    for shard in shards:
        count = min(per_shard, shard.count, total)
        total -= count
        counts.append((shard, count))
    return counts
