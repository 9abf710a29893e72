"""Which pictures a metric compares, and their features, which are computed once for each set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gankit.core import randomness
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import Pixels, PreparedDataset, Rows
from gankit.core.errors import GankitError
from gankit.runs.images import to_uint8
from gankit_metrics.likeness import explain_unlikeness

MIN_PICTURES = 20  # different ones in each set; fewer are not measured at all
NEEDED = f"at least {MIN_PICTURES} of both, or {2 * MIN_PICTURES} for training, are needed"
HOLDOUT = "hold-out"
TRAINING = "training part"


class TooFewPictures(GankitError):
    """There are not enough different real pictures to compare with."""


@dataclass
class PictureSets:
    """The pictures of one run, in named sets, and a cache of each set's features.

    `generated` is compared with `reference`: real pictures that the run did not train on. The
    floor compares `fresh` with the same reference: real training pictures, as many as G draws.

    A metric that also reads the training part, as `memorising` does, would find every `fresh`
    picture in it. The floor of such a metric compares `fresh half`, and `other half` takes the
    place of the training part.
    """

    pixels: Pixels  # all real pictures
    rows: dict[str, Rows]  # name of a set -> its rows of `pixels`
    against: str  # HOLDOUT or TRAINING: what the reference consists of
    generated: Pixels | None = None
    num_held_out: int = 0
    labels: Rows | None = None  # the class of each of the `pixels`, if the run uses classes
    floors: dict[str, float] = field(default_factory=dict)  # metric -> floor, once computed
    _unlikeness: str | None = None  # of the generated pictures, once computed
    _features: dict[tuple[str, str], Any] = field(default_factory=dict)  # feature set, set's name

    @property
    def samples(self) -> int:
        """How many pictures G draws: as many as `fresh` has."""
        return len(self.rows["fresh"])

    def pictures(self, name: str) -> Pixels:
        """The pictures of a set, uint8 (N, H, W, C)."""
        if name != "generated":
            return self.pixels[self.rows[name]]
        assert self.generated is not None
        return self.generated

    def generate(
        self,
        generator: Callable[..., torch.Tensor],
        latent_dim: int,
        *,
        has_classes: bool = False,
    ) -> None:
        """Draw new pictures; `generator` maps z (N, latent_dim) to images (N, C, H, W) in [-1, 1].

        z is the same for every run and every step. With class labels (`has_classes`), the
        generator also gets the classes (N,) of `fresh`, so that each is as frequent as there.
        """
        z = torch.split(randomness.latents(0, 0, self.samples, latent_dim, "measuring"), 64)
        if self.labels is None or not has_classes:
            batches = [to_uint8(generator(batch)) for batch in z]
        else:
            classes = torch.split(torch.from_numpy(self.labels[self.rows["fresh"]]), 64)
            batches = [to_uint8(generator(*batch)) for batch in zip(z, classes, strict=True)]
        self.set_generated(np.ascontiguousarray(np.concatenate(batches)))

    def set_generated(self, pictures: Pixels) -> None:
        """Measure these pictures from now on: uint8 (N, H, W, C), N the number of `samples`."""
        expected_shape = (self.samples, *self.pixels.shape[1:])
        if pictures.dtype != np.uint8 or pictures.shape != expected_shape:
            count = self.samples
            cure = ""
            if pictures.shape[1:] == expected_shape[1:] and len(pictures) > count:
                cure = f": the floor needs as many, and there are {count} training pictures for it"
                cure += f", so give {count} of yours, as in pictures[:{count}]"
            raise GankitError(
                f"cannot measure pictures of {pictures.dtype} {pictures.shape}: they must be "
                f"uint8 {expected_shape}{cure}"
            )
        self.generated = np.require(pictures, requirements="W")  # torch warns of read-only ones
        self._unlikeness = None
        self._features = {
            key: features for key, features in self._features.items() if key[1] != "generated"
        }

    @property
    def unlikeness(self) -> str:
        """Whether the generated pictures are nothing like the real ones, and why; else empty."""
        if self._unlikeness is None:
            real = self.pictures("reference")
            self._unlikeness = explain_unlikeness(self.pictures("generated"), real)
        return self._unlikeness

    def features(self, metric: Metric, text: str, name: str) -> Any:
        """The features (N, ...) of a set; metrics that have one feature set share them."""
        key = (metric.feature_set or text, name)
        if key not in self._features:
            self._features[key] = metric.rows(self.pictures(name))
        return self._features[key]


def choose_picture_sets(prepared: PreparedDataset, samples: int, seed: int) -> PictureSets:
    """Choose the real pictures of each set for a run.

    The reference is the hold-out. If that has fewer than MIN_PICTURES, half of the training part
    takes its place. G draws `samples` pictures, or fewer if the training part has fewer, because
    the floor needs as many real ones.
    """
    reference = shuffle(prepared.holdout, seed)
    train = shuffle(prepared.train, seed)
    against = HOLDOUT
    if len(reference) < MIN_PICTURES:
        half = len(train) // 2
        reference = train[:half]
        train = train[half:]
        against = TRAINING
    if min(len(reference), len(train)) < MIN_PICTURES:
        raise TooFewPictures(
            f"too few pictures to measure: {len(prepared.train)} for training and "
            f"{len(prepared.holdout)} held out; {NEEDED}"
        )
    if samples < MIN_PICTURES:
        raise GankitError(f"--samples is {samples}; it must be {MIN_PICTURES} or more")
    for real in (reference[:samples], train[:samples]):
        different = len({prepared.pixels[row].tobytes() for row in real})
        if different < MIN_PICTURES:
            raise TooFewPictures(
                f"too few different pictures to measure: {different} of {len(real)} real ones, and "
                f"the rest are copies; at least {MIN_PICTURES} are needed"
            )
    half = min(samples, len(train) // 2)
    rows = {
        "reference": reference[:samples],
        "fresh": train[:samples],
        "training": train,
        "fresh half": train[:half],
        "other half": train[half:],
    }
    sets = PictureSets(prepared.pixels, rows, against, num_held_out=len(prepared.holdout))
    sets.labels = prepared.labels
    return sets


def only_class(prepared: PreparedDataset, label: int) -> PreparedDataset:
    """The data set with the pictures of one class alone, of a run with class labels."""
    assert prepared.labels is not None
    is_class = prepared.labels == label
    train = prepared.train[is_class[prepared.train]]
    holdout = prepared.holdout[is_class[prepared.holdout]]
    return prepared._replace(train=train, holdout=holdout, streamed=0)


def shuffle(rows: Rows, seed: int) -> Rows:
    """The rows in random order; the order depends on the data seed alone."""
    generator = randomness.generator(seed, 0, "order of measuring")
    shuffled: Rows = rows[torch.randperm(len(rows), generator=generator).numpy()]
    return shuffled
