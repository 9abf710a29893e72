"""Shards: pictures in many tar files, read one after another and never prepared all together."""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from gankit.core.errors import GankitError
from gankit.core.stop import Progress
from gankit.data.read.decode import decode_bytes
from gankit.data.store.split import FROM, SHARE
from gankit.data.stream.tars import Member, Shard, counted, found, members, stamp


class Shards(Sequence[Image.Image]):
    """Pictures in tar files, as the webdataset library writes them: for sets beyond one disk.

    Give them with --data: folders of tars, single ones, or numbered ones, `train-{000..099}.tar`.
    Each is read from its beginning to its end, so storage that is slow at random reads will do.
    Files beside the pictures (classes, captions) are passed over. As a sequence it is the first
    pictures of each shard. Needs `pip install "gankit[webdataset]"`.

    block: so many pictures that follow one another are shuffled; all of them are in memory.
    sample: so many are prepared as usual, half of them held out: for measuring and previews.
    """

    def __init__(
        self,
        data: tuple[str, ...],
        image_size: int = 64,
        classes: tuple[str, ...] = (),
        background: str = "white",
        progress: Progress = lambda done, total: None,
        block: int = 1024,
        sample: int = 2000,
    ) -> None:
        if classes:
            raise ValueError("it has no class folders: leave --classes away")
        if block < 1 or sample < 1:
            raise ValueError("block and sample are 1 or more")
        self.image_size, self.background = image_size, background
        self.block, self.sample = block, sample
        paths = [path for place in data for path in found(place)]
        self.shards = counted(list(dict.fromkeys(paths)), progress)
        self.first = Sample(self, self.shards, [])
        self.names, self.fingerprint = self.first.names, self.first.fingerprint

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        return self.first[index]

    def split(self, share: float, seed: int) -> tuple[list[Shard], list[Shard]]:
        """The shards to learn from and those held out: about a `share` of them (-1: a tenth)."""
        many = sum(shard.count for shard in self.shards)
        if share < 0:
            share = SHARE if many > FROM and len(self.shards) > 1 else 0.0
        held = round(share * len(self.shards)) or (share > 0)
        if held >= len(self.shards):
            few = f"--holdout {share:g} of {len(self.shards)} shards leaves none to learn from"
            raise GankitError(f"{few}: whole shards are held out, so cut the pictures into more")
        order = permutation(len(self.shards), seed, 0, "hold-out")
        ordered = [self.shards[number] for number in order]
        return sorted(ordered[held:]), sorted(ordered[:held])

    def picture(self, member: Member) -> Image.Image:
        return decode_bytes(member.data, self.image_size, self.background)


class Sample(Sequence[Image.Image]):
    """The first pictures of each shard, held-out shards first: what is prepared of a streamed set.

    Read on first use, which is never where it has been prepared before.
    """

    def __init__(self, shards: Shards, train: list[Shard], held: list[Shard]) -> None:
        half = shards.sample // 2 if held else 0
        wanted = [*_shares(held, half), *_shares(train, shards.sample - half)]
        self.decode, self._wanted, self._lock = shards.picture, wanted, threading.Lock()
        places = [(shard, number) for shard, count in wanted for number in range(count)]
        self.names = [f"picture {number} of {shard.path.name}" for shard, number in places]
        self.held = sum(count for shard, count in wanted if shard in held)
        about = repr([(str(shard.path), *stamp(shard.path), count) for shard, count in wanted])
        self.fingerprint = hashlib.sha256(about.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]  # no slices
        with self._lock:
            found = self._members
        return self.decode(found[index])

    @functools.cached_property
    def _members(self) -> list[Member]:
        first = (itertools.islice(members(shard), count) for shard, count in self._wanted)
        return list(itertools.chain.from_iterable(first))


def _shares(shards: list[Shard], most: int) -> list[tuple[Shard, int]]:
    """Of each shard about as many pictures, `most` together."""
    each = -(-most // max(1, len(shards)))
    shares = []
    for shard in shards:
        count = min(each, shard.count, most)
        most -= count
        shares.append((shard, count))
    return shares


def permutation(count: int, seed: int, epoch: int, purpose: str) -> np.ndarray[Any, Any]:
    """The numbers below `count` in an order of their own."""
    import torch

    from gankit.core import randomness  # which needs torch

    return torch.randperm(count, generator=randomness.generator(seed, epoch, purpose)).numpy()
