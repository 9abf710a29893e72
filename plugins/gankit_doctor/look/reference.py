"""Reference: what a look compares a run's pictures with, computed once from real pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gankit.core.contracts.prepared import Pixels, PreparedDataset, Rows
from gankit.core.randomness import derive_seed
from gankit.core.run.settings import Run
from gankit.data.batches import zoom_in
from gankit.runs.images import from_uint8
from gankit_doctor.look import features, statistics

GRID = 64  # pictures of a look
MAX_REAL = 512  # training pictures that are compared with the grid
MAX_HELD_OUT = 128
MAX_FULL = 120  # of either that are kept at their full size
CLUSTERS = 12
MIN_PICTURES = 16  # with fewer real ones, pictures are not compared
CHUNK = 64
PERIODS = (2, 4)  # pixels, of patterns that strided layers leave


@dataclass
class Reference:
    """Real pictures in [-1, 1] and what a look needs of them; all tensors are on one device."""

    real: Tensor  # (N, C, H, W), training pictures
    held_out: Tensor  # (M, C, H, W); may be empty
    thumbnails: Tensor  # (K, F), small pictures of `real` and more
    held_thumbnails: Tensor  # (L, F)
    seed: int
    labels: Tensor | None = None  # (N,), the class of each of `real`, if the classes are known
    held_out_labels: Tensor | None = None  # (M,)

    def __post_init__(self) -> None:
        self.device = self.real.device
        self.within = statistics.mean_distance(self.thumbnails)
        self.texture = features.texture(self.real)
        self.texture_mean = self.texture.mean(dim=0)
        self.texture_sd = self.texture.std(dim=0).clamp_min(0.02)
        self.texture = (self.texture - self.texture_mean) / self.texture_sd
        self.texture_within = statistics.mean_distance(self.texture)
        self.power = features.spectrum(self.real)
        self.nearest = statistics.nearest_distances(self.thumbnails[:GRID]).median()
        self.dimensions = statistics.dimensions(self.thumbnails[:GRID])
        self.centres = statistics.clusters(
            self.thumbnails, CLUSTERS, torch.Generator().manual_seed(self.seed)
        )
        self.shares = statistics.shares(self.thumbnails, self.centres)
        self.lattices = {period: features.lattice(self.power, period) for period in PERIODS}
        self.fine = features.high_share(self.power)
        self.colours = features.colours(self.real)
        self.channel_sd = self.real.mean(dim=(2, 3)).std(dim=0).clamp_min(0.01)

    def texture_of(self, images: Tensor) -> Tensor:
        """Texture features (N, F) of images, in standard deviations of the real ones."""
        return (features.texture(images) - self.texture_mean) / self.texture_sd

    def fresh(self) -> tuple[Tensor, Tensor]:
        """Real thumbnails (up to GRID) to measure floors with, and the rest to compare with."""
        if len(self.held_thumbnails) >= MIN_PICTURES:
            return self.held_thumbnails[:GRID], self.thumbnails
        half = len(self.thumbnails) // 2
        return self.thumbnails[:half][:GRID], self.thumbnails[half:]


def make_reference(run: Run, prepared: PreparedDataset, device: torch.device) -> Reference | None:
    """The reference of a run's pictures; None if there are too few of them.

    With --zoom, they are parts of pictures, as D sees them: G learns to draw such parts.
    """
    if len(prepared.train) < MIN_PICTURES:
        return None
    train = _choose(prepared.train, MAX_REAL, run.data_seed)
    held_out = _choose(prepared.holdout, MAX_HELD_OUT, run.data_seed)
    pixels = prepared.pixels
    area = pixels.shape[1] * pixels.shape[2]
    full = min(MAX_FULL, max(GRID, MAX_FULL * 64 * 64 // area))  # fewer large ones
    return Reference(
        real=_as_seen(run, pixels[train[:full]]).to(device),
        held_out=_as_seen(run, pixels[held_out[:full]]).to(device),
        thumbnails=_thumbnails(run, pixels, train).to(device),
        held_thumbnails=_thumbnails(run, pixels, held_out).to(device),
        seed=derive_seed(run.data_seed, 0, "doctor"),
        labels=_labels(prepared, train[:full]),
        held_out_labels=_labels(prepared, held_out[:full]),
    )


def _labels(prepared: PreparedDataset, rows: Rows) -> Tensor | None:
    return None if prepared.labels is None else torch.from_numpy(prepared.labels[rows])


def _choose(rows: Rows, count: int, seed: int) -> Rows:
    """Up to `count` of the rows, at random, and the same for every run of these pictures."""
    generator = torch.Generator().manual_seed(derive_seed(seed, 0, "doctor's pictures"))
    order: Rows = rows[torch.randperm(len(rows), generator=generator).numpy()]
    return order[:count]


def _as_seen(run: Run, pixels: Pixels) -> Tensor:
    """Pictures (N, H, W, C) as images (N, C, H, W), enlarged as those that D sees."""
    images = from_uint8(pixels)
    if run.zoom <= 1 or not len(images):
        return images
    generator = torch.Generator().manual_seed(derive_seed(run.data_seed, 0, "doctor's zoom"))
    return zoom_in(images, run.zoom, torch.rand(len(images), 3, generator=generator), run.resample)


def _thumbnails(run: Run, pixels: Pixels, rows: Rows) -> Tensor:
    """Thumbnails (n, F) of these rows, made in chunks, as the pictures may be large."""
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    if not chunks:
        return torch.zeros(0, pixels.shape[3] * min(features.SIDE, *pixels.shape[1:3]) ** 2)
    return torch.cat([features.thumbnails(_as_seen(run, pixels[chunk])) for chunk in chunks])
