"""Which pictures are compared with which, and their features, worked out once for each set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gankit.core import randomness
from gankit.core.errors import GankitError
from gankit.core.metric import Metric
from gankit.core.prepared import Pixels, PreparedDataset, Rows

FEWEST = 20  # with fewer real pictures than this on one side nothing is said at all


@dataclass
class Sets:
    """The sets of pictures of one run, and the features of each, by name of the set.

    `generated` are compared with `reference`, real pictures that the run did not learn from. The
    floor compares `fresh`, as many real ones from the training part, with the same reference.
    """

    pixels: Pixels
    rows: dict[str, Rows]  # reference, fresh, training, others (training without fresh)
    against: str  # where the reference comes from
    generated: Pixels | None = None
    floors: dict[str, float] = field(default_factory=dict)  # of each metric, once they are known
    _known: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How many pictures G draws: as many as the floor has."""
        return len(self.rows["fresh"])

    def pictures(self, name: str) -> Pixels:
        if name != "generated":
            return self.pixels[self.rows[name]]
        assert self.generated is not None
        return self.generated

    def draw(self, images: Any, latent_dim: int) -> None:
        """Take new pictures from G; `images` maps z (N, latent_dim) to (N, C, H, W) in [-1, 1].

        Every run and every step is measured on the same z.
        """
        z = randomness.latents(0, 0, self.samples, latent_dim, "measuring")
        self.take(np.concatenate([as_bytes(images(part)) for part in torch.split(z, 64)]))

    def take(self, pictures: Pixels) -> None:
        """Judge these pictures, (N, H, W, C) bytes, from here on; as many as the floor has."""
        wanted = (self.samples, *self.pixels.shape[1:])
        if pictures.dtype != np.uint8 or pictures.shape != wanted:
            what = f"{pictures.dtype} {pictures.shape}"
            raise GankitError(f"the pictures to be measured are {what}; wanted is uint8 {wanted}")
        self.generated = pictures
        self._known = {key: rows for key, rows in self._known.items() if key[1] != "generated"}

    def features(self, metric: Metric, text: str, name: str) -> Any:
        """The features of a set, (N, ...); metrics with one feature set share them."""
        key = (metric.feature_set or text, name)
        if key not in self._known:
            self._known[key] = metric.rows(self.pictures(name))
        return self._known[key]


def as_bytes(images: torch.Tensor) -> Pixels:
    """(N, C, H, W) in [-1, 1] as bytes (N, H, W, C)."""
    pixels = images.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def choose(prepared: PreparedDataset, samples: int, seed: int) -> Sets:
    """The sets for a run: the hold-out as reference, or, where it is too small, training pictures.

    The floor has as many pictures as G draws, so there are at most as many as the training part
    has.
    """
    held = shuffled(prepared.holdout, seed)
    train = shuffled(prepared.train, seed)
    against = "hold-out"
    if len(held) < FEWEST:  # then one half of the training part stands for it, and is marked so
        half = len(train) // 2
        held = train[:half]
        train = train[half:]
        against = "training part"
    if min(len(held), len(train)) < FEWEST:
        few = f"{len(prepared.train)} training pictures and {len(prepared.holdout)} held out"
        raise GankitError(f"{few} are too few to measure anything: {2 * FEWEST} are the least")
    if samples < FEWEST:
        raise GankitError(f"--samples is {samples}; it must be {FEWEST} or more")
    fresh = train[:samples]
    rows = {"reference": held[:samples], "fresh": fresh, "training": train}
    count = min(samples, len(train) // 2)
    rows |= {"few fresh": train[:count], "others": train[count:]}
    return Sets(prepared.pixels, rows, against)


def shuffled(rows: Rows, seed: int) -> Rows:
    """The rows in an order of their own, which depends on the data seed alone."""
    draw = randomness.generator(seed, 0, "order of measuring")
    reordered: Rows = rows[torch.randperm(len(rows), generator=draw).numpy()]
    return reordered
