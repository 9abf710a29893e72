"""Batches from shards: read ahead, decoded by --threads, shuffled block by block."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gankit.core.errors import GankitError, RunFailed
from gankit.core.prepared import Pixels
from gankit.data.batches import Batches
from gankit.data.stream.shards import Shards, permutation
from gankit.data.stream.tars import Member, Shard, members

log = logging.getLogger("gankit")


@dataclass(eq=False, kw_only=True)
class Streamed(Batches):
    """Batches of an endless stream of pictures, whose order is a function of (seed, epoch).

    In each epoch the shards come in a new order; of that order, process r of n takes every n-th
    shard from the r-th on. The pictures of its shards, one after another, are shuffled in blocks.
    A broken picture is reported, and the one before it in its block takes its place, so that the
    others keep theirs. `batches[i]` asks for the places from `i * share` on: in order they cost
    nothing; to go on elsewhere means to read from the beginning of a block's first shard.
    """

    shards: Shards
    train: list[Shard]
    cutter: Callable[[Any], list[tuple[Pixels, Any]]]
    _blocks: Iterator[Pixels] = field(init=False)
    _coming: Future[Pixels] | None = None
    _read: list[Pixels] = field(default_factory=list)  # blocks that were decoded
    _first: int = -1  # the place of the first picture in them; -1 before there are any
    _broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        mine = self.share(np.arange(self.batch_size))  # of each batch
        self._each, size = len(mine), self.batch_size // len(mine)
        self._rank, self._size = int(mine[0]) // self._each, size
        if len(self.train) < size:
            few = f"{len(self.train)} shards to learn from are fewer than {size} processes"
            raise GankitError(f"{few}: cut the pictures into more shards")
        self._pool, self._ahead = ThreadPoolExecutor(torch.get_num_threads()), ThreadPoolExecutor(1)

    def _gathered(self, batch: int) -> Pixels:
        start = batch * self._each
        if not self._first <= start <= self._first + sum(map(len, self._read)):
            self._go_to(start)
        while self._first + sum(map(len, self._read)) < start + self._each:
            self._read.append(self._next())
        while start - self._first >= len(self._read[0]):  # used up
            self._first += len(self._read.pop(0))
        parts, missing, begin = [], self._each, start - self._first
        for block in self._read:
            parts.append(block[begin : begin + missing])
            missing, begin = missing - len(parts[-1]), 0
        return np.concatenate(parts)

    def _next(self) -> Pixels:
        """The next block; the one after it is read meanwhile."""
        coming = self._coming or self._ahead.submit(next, self._blocks)
        try:
            return coming.result()
        finally:
            self._coming = self._ahead.submit(next, self._blocks)

    def _go_to(self, place: int) -> None:
        """Make ready for the block in which a place of the stream lies."""
        if self._coming:
            self._coming.exception()  # wait: it reads from the old blocks
        epoch, first = 0, 0
        while first + (many := sum(shard.count for shard in self._shards_in_order(epoch))) <= place:
            epoch, first = epoch + 1, first + many
        block = (place - first) // self.shards.block
        self._first, self._read = first + block * self.shards.block, []
        self._blocks, self._coming = self._from(epoch, block), None

    def _shards_in_order(self, epoch: int) -> list[Shard]:
        """The shards of this process in an epoch, in order."""
        order = permutation(len(self.train), self.seed, epoch, "order of shards")
        return [self.train[number] for number in order[self._rank :: self._size]]

    def _from(self, epoch: int, block: int) -> Iterator[Pixels]:
        """All blocks from one on."""
        while True:
            pictures = self._pictures(epoch, block * self.shards.block)
            while part := list(itertools.islice(pictures, self.shards.block)):
                order = permutation(len(part), self.seed, epoch, self._purpose(block))
                yield self._decoded([part[number] for number in order])
                block += 1
            epoch, block = epoch + 1, 0

    def _purpose(self, block: int) -> str:
        return f"block {block}" + f"/process {self._rank} of {self._size}" * (self._size > 1)

    def _pictures(self, epoch: int, skip: int) -> Iterator[Member]:
        """An epoch's pictures as its shards have them, without the first ones."""
        for shard in self._shards_in_order(epoch):
            if skip < shard.count:
                yield from itertools.islice(members(shard), skip, None)
            skip = max(0, skip - shard.count)

    def _decoded(self, block: list[Member]) -> Pixels:
        found = list(self._pool.map(self._one, block))
        whole = [pixels for pixels in found if not isinstance(pixels, str)]
        broken = [told for told in found if isinstance(told, str)]
        for told in broken:
            if told not in self._broken:
                log.warning("skipped %s", told)
        self._broken |= set(broken)
        if len(broken) > len(whole):
            most = f"most pictures are broken, {len(broken)} of {len(found)} in a row"
            raise RunFailed(f"{most}; the first: {broken[0]}", 1)
        last = whole[-1]
        for number, pixels in enumerate(found):
            last = found[number] = last if isinstance(pixels, str) else pixels
        return np.stack(found)

    def _one(self, member: Member) -> Pixels | str:
        try:
            return self.cutter(self.shards.picture(member))[0][0]
        except Exception as error:  # a broken picture may raise anything; it ends no run
            return " ".join(f"{member.name}: {error}".split())
