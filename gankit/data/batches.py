"""Prepared pictures -> batches: gathered, flipped, scaled to [-1, 1]."""

import functools
import weakref
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample

from gankit.core import randomness
from gankit.core.contracts.prepared import Pixels, Rows
from gankit.core.device import to_device
from gankit.core.errors import GankitError
from gankit.data.balance import BalancedRows
from gankit.data.shuffle import permutation


@dataclass(eq=False)
class Batches:
    """Batches of prepared pictures, shuffled again in each epoch: a function of (seed, epoch).

    `batches[i]` is the i-th batch of the run, a float tensor (N, C, H, W) in [-1, 1]. The last
    pictures of an epoch share a batch with the first of the next one, so that none is dropped.
    """

    pixels: Pixels
    batch_size: int
    seed: int
    _: KW_ONLY
    rows: Any = None  # (M,), the pictures to use; None: all
    flip: bool = False  # mirror each picture with probability 1/2
    # Rotate and mirror, for pictures that look right in any position: by 90, 180 or 270 degrees, or
    # by 180 if they are not square.
    dihedral: bool = False
    device: torch.device | str = "cpu"
    memory_format: torch.memory_format = torch.channels_last
    share: Callable[[Any], Any] = lambda rows: rows  # this process's part of a batch's (B, ...)
    zoom: float = 1.0  # show a random part of each picture, enlarged up to this factor
    labels: Any = None  # (N,), the class of each of the pixels' pictures
    balance: bool = False  # show each class equally often
    resample: str = "lanczos"  # "nearest": zoom makes no new colours
    batches_before: int = 0  # of earlier stages of the run, which had another batch size
    pictures_before: int = 0  # in those batches
    _buffers: list[Any] = field(default_factory=list)  # (floats, a weak reference to their user)

    def __post_init__(self) -> None:
        self.rows = np.arange(len(self.pixels)) if self.rows is None else self.rows
        count = len(self.rows)
        if count < self.batch_size:
            available = "is only 1 picture" if count == 1 else f"are only {count} pictures"
            line = f"there {available} for a batch of {self.batch_size}"
            raise GankitError(f"{line}: add pictures or use --batch-size {count}")

    @functools.lru_cache(maxsize=2)  # noqa: B019 - a run has one Batches; two epochs share a batch
    def _order(self, epoch: int) -> Rows:
        order: Rows = self.rows[permutation(len(self.rows), self.seed, epoch, "order of pictures")]
        return order

    @functools.cached_property
    def _balanced(self) -> BalancedRows:
        return BalancedRows(self.rows, self.labels[self.rows], self.seed)

    def labels_of(self, batch: int) -> torch.Tensor:
        """The class (N,), int64, of each picture of a batch."""
        labels = torch.from_numpy(self.labels[self._rows_of(batch)])
        return to_device(labels, self.device)

    def __getitem__(self, batch: int) -> torch.Tensor:
        pixels = self._gather(batch)
        if self.flip or self.dihedral:
            self._flip(pixels, batch)
        on_device = to_device(torch.from_numpy(pixels), self.device)
        images = self._normalise(on_device).permute(0, 3, 1, 2)  # (N, C, H, W)
        images = self._zoom_in(images, batch) if self.zoom > 1 else images
        images = images.contiguous(memory_format=self.memory_format)
        if self.memory_format == torch.contiguous_format:
            # Strides of one channel may be those of channels-last, too, which layers would go by.
            return images.view(images.shape)
        return images

    def _position(self, batch: int) -> int:
        """The number of pictures of the run before this batch."""
        if batch < self.batches_before:  # only for a trial, as an earlier stage took that batch
            return batch * self.batch_size
        return self.pictures_before + (batch - self.batches_before) * self.batch_size

    def _gather(self, batch: int) -> Pixels:
        """The bytes (N, H, W, C) of a batch."""
        pixels: Pixels = self.pixels[self._rows_of(batch)]
        return pixels

    def _rows_of(self, batch: int) -> Rows:
        """The rows (N,) of a batch; this process's share of them."""
        first = self._position(batch)
        if self.balance:
            return self._share_of(self._balanced[range(first, first + self.batch_size)])
        epoch, start = divmod(first, len(self.rows))
        rows = self._order(epoch)[start : start + self.batch_size]
        while len(rows) < self.batch_size:  # an epoch ends in this batch
            epoch += 1
            rows = np.concatenate((rows, self._order(epoch)))[: self.batch_size]
        return self._share_of(rows)

    def _share_of(self, rows: Rows) -> Rows:
        own: Rows = self.share(rows)
        return own

    def _flip(self, pixels: Pixels, batch: int) -> None:
        random = randomness.generator(self.seed, batch, "flips")
        draws = torch.rand(3, self.batch_size, generator=random).numpy() < 0.5
        mirrored, upside_down, transposed = self.share(draws.T).T
        columns = torch.from_numpy(pixels[mirrored]).permute(0, 3, 1, 2).flip(3)  # fast in torch
        pixels[mirrored] = columns.permute(0, 2, 3, 1).numpy()
        if self.dihedral:
            pixels[upside_down] = pixels[upside_down, ::-1]
        if self.dihedral and pixels.shape[1] == pixels.shape[2]:
            pixels[transposed] = pixels[transposed].swapaxes(1, 2)

    def _zoom_in(self, images: torch.Tensor, batch: int) -> torch.Tensor:
        """A part of each picture, of its shape, random size and position, enlarged to full size."""
        if images.device.type == "mps":  # its grid_sample is limited, and was wrong in torch 2.10
            return self._zoom_in(images.cpu(), batch).to(images.device)
        random = randomness.generator(self.seed, batch, "zoom")
        draws = self.share(torch.rand(self.batch_size, 3, generator=random))
        return zoom_in(images, self.zoom, draws, self.resample)

    def _normalise(self, images: torch.Tensor) -> torch.Tensor:
        """Bytes (N, H, W, C) as floats in [-1, 1], in chunks that stay in the processor's cache."""
        minus_one = torch.full((), -1.0, device=images.device)  # on the device: no copy to wait for
        floats = self._float_buffer(images)
        chunk_size = max(1, 2**18 // images[0].numel())  # a megabyte of floats
        chunks = zip(torch.split(images, chunk_size), torch.split(floats, chunk_size), strict=True)
        for bytes_, out in chunks:
            torch.add(minus_one, out.copy_(bytes_), alpha=1 / 127.5, out=out)
        return floats

    def _float_buffer(self, images: torch.Tensor) -> torch.Tensor:
        """Memory for a batch of floats: that of an earlier batch, once no tensor uses it any more.

        New memory costs a page fault every 4 kB, with large pictures more than filling it. Every
        tensor over an array keeps the array alive, also in autograd and as a view, so a weak
        reference tells whether there is still one.
        """
        if images.device.type != "cpu":
            return torch.empty(images.shape, device=images.device)
        memory = self._take_free_buffer()
        if memory is None:
            memory = np.empty(images.shape, np.float32)
        array = memory[:]
        self._buffers.append((memory, weakref.ref(array)))
        return torch.from_numpy(array)

    def _take_free_buffer(self) -> Any:
        for index, (memory, user) in enumerate(self._buffers):
            if user() is None:
                del self._buffers[index]
                return memory
        return None


def zoom_in(
    images: torch.Tensor, zoom: float, draws: torch.Tensor, resample: str = "lanczos"
) -> torch.Tensor:
    """A part of each image (N, C, H, W), enlarged to the full size up to `zoom` times.

    `draws` (N, 3), from 0 to 1: how large the part is, and where it lies.
    """
    scale = 1 / zoom + (1 - 1 / zoom) * draws[:, 0]  # the part's side / the picture's
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = scale
    theta[:, 1, 1] = scale
    theta[:, :, 2] = (1 - scale)[:, None] * (2 * draws[:, 1:] - 1)
    grid = affine_grid(to_device(theta, images.device), list(images.shape), align_corners=False)
    mode = "nearest" if resample == "nearest" else "bicubic"
    return grid_sample(images, grid, mode, "border", align_corners=False).clamp_(-1, 1)
