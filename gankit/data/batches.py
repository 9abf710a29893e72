"""Prepared pictures -> batches: gathered, flipped, as numbers in [-1, 1]."""

import functools
import weakref
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample

from gankit.core import randomness
from gankit.core.device import to_device
from gankit.core.errors import GankitError
from gankit.core.prepared import Pixels, Rows


@dataclass(eq=False)
class Batches:
    """Batches of a prepared set: shuffled anew each epoch, the order a function of (seed, epoch).

    `batches[i]` is the i-th batch of the run, a float tensor (N, C, H, W) in [-1, 1]; an epoch's
    last pictures and the next one's first share a batch, so none is left out.
    """

    pixels: Pixels
    batch_size: int
    seed: int
    _: KW_ONLY
    rows: Any = None  # (M,), the pictures to take; None: all
    flip: bool = False  # mirror each picture with probability 1/2
    dihedral: bool = False  # one of the 8 positions of a square: pictures without an up
    device: torch.device | str = "cpu"
    memory_format: torch.memory_format = torch.channels_last
    share: Callable[[Any], Any] = lambda rows: rows  # which of a batch's (B, ...) to take
    zoom: float = 1.0  # show a random part of each picture, enlarged up to so many times
    _rooms: list[Any] = field(default_factory=list)  # (floats, a weak reference to who has them)

    def __post_init__(self) -> None:
        self.rows = np.arange(len(self.pixels)) if self.rows is None else self.rows
        if len(self.rows) < self.batch_size:
            few = f"{len(self.rows)} pictures are fewer than a batch of {self.batch_size}"
            raise GankitError(f"{few}: add pictures or use --batch-size {len(self.rows)}")

    @functools.lru_cache(maxsize=2)  # noqa: B019 - a run has one Batches, two epochs meet in it
    def _order(self, epoch: int) -> Rows:
        random = randomness.generator(self.seed, epoch, "order of pictures")
        order: Rows = self.rows[torch.randperm(len(self.rows), generator=random).numpy()]
        return order

    def __getitem__(self, batch: int) -> torch.Tensor:
        pixels = self._gathered(batch)
        if self.flip or self.dihedral:
            self._turn(pixels, batch)
        on_device = to_device(torch.from_numpy(pixels), self.device)
        images = self._normalised(on_device).permute(0, 3, 1, 2)  # (N, C, H, W)
        images = self._zoomed(images, batch) if self.zoom > 1 else images
        return images.contiguous(memory_format=self.memory_format)

    def _gathered(self, batch: int) -> Pixels:
        epoch, start = divmod(batch * self.batch_size, len(self.rows))
        wanted = self._order(epoch)[start : start + self.batch_size]
        while len(wanted) < self.batch_size:  # an epoch ends in this batch
            epoch += 1
            wanted = np.concatenate((wanted, self._order(epoch)))[: self.batch_size]
        pixels: Pixels = self.pixels[self.share(wanted)]
        return pixels

    def _turn(self, pixels: Pixels, batch: int) -> None:
        random = randomness.generator(self.seed, batch, "flips")
        draws = torch.rand(3, self.batch_size, generator=random).numpy() < 0.5
        mirrored, upside_down, turned = self.share(draws.T).T
        columns = torch.from_numpy(pixels[mirrored]).permute(0, 3, 1, 2).flip(3)  # fast in torch
        pixels[mirrored] = columns.permute(0, 2, 3, 1).numpy()
        if self.dihedral:
            pixels[upside_down] = pixels[upside_down, ::-1]
            pixels[turned] = pixels[turned].swapaxes(1, 2)

    def _zoomed(self, images: torch.Tensor, batch: int) -> torch.Tensor:
        """A square part of each picture, of random size and place, enlarged to the whole's size."""
        if images.device.type == "mps":  # whose grid_sample knows less, and was wrong in torch 2.10
            return self._zoomed(images.cpu(), batch).to(images.device)
        random = randomness.generator(self.seed, batch, "zoom")
        draws = self.share(torch.rand(self.batch_size, 3, generator=random))
        sides = 1 / self.zoom + (1 - 1 / self.zoom) * draws[:, 0]  # of the part; the whole's is 1
        where = torch.zeros(len(images), 2, 3)
        where[:, 0, 0] = where[:, 1, 1] = sides
        where[:, :, 2] = (1 - sides)[:, None] * (2 * draws[:, 1:] - 1)
        grid = affine_grid(to_device(where, images.device), list(images.shape), align_corners=False)
        return grid_sample(images, grid, "bicubic", "border", align_corners=False).clamp_(-1, 1)

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        """Bytes (N, H, W, C) as floats in [-1, 1], some at a time: they stay in the cache."""
        minus_one = torch.full((), -1.0, device=images.device)  # which waits for no GPU
        floats = self._room(images)
        count = max(1, 2**18 // images[0].numel())  # a megabyte of floats at a time
        parts = zip(torch.split(images, count), torch.split(floats, count), strict=True)
        for bytes_, out in parts:
            torch.add(minus_one, out.copy_(bytes_), alpha=1 / 127.5, out=out)
        return floats

    def _room(self, images: torch.Tensor) -> torch.Tensor:
        """Memory for a batch of floats: an earlier batch's, once nobody holds that any more.

        New memory costs a page fault every 4 kB, more than filling it does with large pictures. The
        tensors over an array keep it alive, those of autograd and views too: so a weak one tells.
        """
        if images.device.type != "cpu":
            return torch.empty(images.shape, device=images.device)
        free = next((n for n, (_, lent) in enumerate(self._rooms) if lent() is None), None)
        room = np.empty(images.shape, np.float32) if free is None else self._rooms.pop(free)[0]
        lent = room[:]
        self._rooms.append((room, weakref.ref(lent)))
        return torch.from_numpy(lent)
