"""Batches from shards: read ahead, decoded by --threads, shuffled in blocks."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch

from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError, RunFailed
from gankit.data.batches import Batches
from gankit.data.messages import MORE_SHARDS, skipped_line
from gankit.data.shuffle import permutation
from gankit.data.store.prepared_pictures import Transform
from gankit.data.stream.shards import Shards
from gankit.data.stream.tars import EncodedPicture, Shard, iter_pictures

log = logging.getLogger("gankit")


@dataclass(eq=False, kw_only=True)
class StreamedBatches(Batches):
    """Batches of an endless stream of pictures, whose order is a function of (seed, epoch).

    In each epoch the shards come in a new order; of that order, process r of n takes every n-th
    shard from the r-th on. The pictures of its shards, one after another, are shuffled in blocks.
    A broken picture is reported and replaced by the one before it in its block, so that all other
    pictures keep their positions.

    `batches[i]` starts at position `i * (batch_size / n)` of the stream, if the batch size never
    changed. Batches in order cost nothing extra; for any other position, a block's first shard is
    read from its beginning.
    """

    shards: Shards
    train: list[Shard]
    transform: Transform
    _blocks: Iterator[Pixels] = field(init=False)
    _next_block: Future[Pixels] | None = None
    _buffer: list[Pixels] = field(default_factory=list)  # decoded blocks
    _buffer_start: int = -1  # position in the stream of the first picture in _buffer; -1: empty
    _reported: set[str] = field(default_factory=set)  # broken pictures

    def __post_init__(self) -> None:
        own_rows = self.share(np.arange(self.batch_size))  # of each batch
        self._per_batch = len(own_rows)
        self._num_processes = self.batch_size // len(own_rows)
        self._rank = int(own_rows[0]) // len(own_rows)
        if len(self.train) < self._num_processes:
            line = f"{len(self.train)} training shards are too few for {self._num_processes}"
            raise GankitError(f"{line} processes: {MORE_SHARDS}, or start fewer processes")
        self._decoders = ThreadPoolExecutor(torch.get_num_threads())
        self._read_ahead = ThreadPoolExecutor(1)

    def _gather(self, batch: int) -> Pixels:
        start = self._position(batch) // self._num_processes
        if not self._buffer_start <= start <= self._buffer_end():
            self._seek(start)
        while self._buffer_end() < start + self._per_batch:
            self._buffer.append(self._take_next_block())
        while start - self._buffer_start >= len(self._buffer[0]):  # all of its pictures were used
            self._buffer_start += len(self._buffer.pop(0))
        parts = []
        missing = self._per_batch
        offset = start - self._buffer_start
        for block in self._buffer:
            parts.append(block[offset : offset + missing])
            missing -= len(parts[-1])
            offset = 0
        return np.concatenate(parts)

    def _buffer_end(self) -> int:
        return self._buffer_start + sum(len(block) for block in self._buffer)

    def _take_next_block(self) -> Pixels:
        """The next block; the one after it is read in the meantime."""
        future = self._next_block or self._read_ahead.submit(next, self._blocks)
        try:
            return future.result()
        finally:
            self._next_block = self._read_ahead.submit(next, self._blocks)

    def _seek(self, position: int) -> None:
        """Continue with the block that holds this position of the stream."""
        if self._next_block:
            self._next_block.exception()  # wait, because it reads from the old blocks
        epoch = 0
        epoch_start = 0
        count = self._count_in_epoch(epoch)
        while epoch_start + count <= position:
            epoch_start += count
            epoch += 1
            count = self._count_in_epoch(epoch)
        block = (position - epoch_start) // self.shards.block
        self._buffer = []
        self._buffer_start = epoch_start + block * self.shards.block
        self._blocks = self._iter_blocks(epoch, block)
        self._next_block = None

    def _count_in_epoch(self, epoch: int) -> int:
        return sum(shard.count for shard in self._shards_in_order(epoch))

    def _shards_in_order(self, epoch: int) -> list[Shard]:
        """The shards of this process in an epoch, in order."""
        order = permutation(len(self.train), self.seed, epoch, "order of shards")
        return [self.train[number] for number in order[self._rank :: self._num_processes]]

    def _iter_blocks(self, epoch: int, block: int) -> Iterator[Pixels]:
        """All blocks from this one on, without end."""
        while True:
            pictures = self._iter_epoch(epoch, block * self.shards.block)
            while encoded := list(itertools.islice(pictures, self.shards.block)):
                order = permutation(len(encoded), self.seed, epoch, self._purpose(block))
                yield self._decode_block([encoded[number] for number in order])
                block += 1
            epoch += 1
            block = 0

    def _purpose(self, block: int) -> str:
        if self._num_processes == 1:
            return f"block {block}"
        return f"block {block}/process {self._rank} of {self._num_processes}"

    def _iter_epoch(self, epoch: int, skip: int) -> Iterator[EncodedPicture]:
        """An epoch's pictures in the order of its shards, without the first `skip`."""
        for shard in self._shards_in_order(epoch):
            if skip < shard.count:
                yield from itertools.islice(iter_pictures(shard), skip, None)
            skip = max(0, skip - shard.count)

    def _decode_block(self, block: list[EncodedPicture]) -> Pixels:
        results = list(self._decoders.map(self._decode_or_describe, block))
        good = [result for result in results if not isinstance(result, str)]
        broken = [result for result in results if isinstance(result, str)]
        for line in broken:
            if line not in self._reported:
                log.warning("skipped %s", line)
        self._reported |= set(broken)
        if len(broken) > len(good):
            line = f"most pictures are broken, {len(broken)} of {len(results)} in a row"
            raise RunFailed(f"{line}; the first: {broken[0]}", 1)
        previous = good[-1]  # for a broken picture at the beginning of the block
        pixels = []
        for result in results:
            if not isinstance(result, str):
                previous = result
            pixels.append(previous)
        return np.stack(pixels)

    def _decode_or_describe(self, picture: EncodedPicture) -> Pixels | str:
        """The picture's pixels, or the line that says why it is broken."""
        try:
            with self.shards.decoded(picture) as image:
                pixels, _ = self.transform(image)[0]
        except Exception as error:  # a broken picture may raise anything, and must not end the run
            return skipped_line(picture.name, error)
        return pixels
