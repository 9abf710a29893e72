"""How close G comes to a picture, beside real pictures that it was and was not trained on."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gankit_metrics.picture_sets import only_class, shuffle

from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run
from gankit.training.run_folder.run_pictures import prepare_again

COUNT = 8  # real pictures of each kind
STEPS = 60  # of the search for each of them, and for the picture beside them

log = logging.getLogger("gankit")


class RealPictures(NamedTuple):
    """At most eight of each kind, uint8 (H, W, C)."""

    trained: list[Pixels]  # of the training part
    held_out: list[Pixels]


@dataclass(frozen=True)
class Comparison:
    """Distances that searches of equal length reached, from one start each."""

    picture: float
    trained: tuple[float, ...]  # of pictures that G was trained on
    held_out: tuple[float, ...]

    def describe(self) -> list[str]:
        """What the numbers are, and what they mean, as sentences."""
        real = (*self.trained, *self.held_out)
        num_farther = sum(distance > self.picture for distance in real)
        kinds = [
            f"{len(distances)} {what} {describe_range(distances)}"
            for distances, what in (
                (self.trained, "real pictures that G was trained on come to"),
                (self.held_out, "real ones that were held out come to"),
            )
            if distances
        ]
        numbers = f"in a short search, yours comes to {self.picture:.2f}; {'; '.join(kinds)}"
        if num_farther == len(real):
            meaning = "G draws your picture better than each of these real ones"
        elif num_farther == 0:
            meaning = "each of these real ones comes closer: G cannot draw pictures like yours"
        else:
            meaning = f"yours comes closer than {num_farther} of these {len(real)} real ones"
        return [numbers, meaning]


def describe_range(distances: Sequence[float]) -> str:
    """`0.41 (0.35 to 0.52)`: the median, and the lowest and highest."""
    middle = statistics.median(distances)
    return f"{middle:.2f} ({min(distances):.2f} to {max(distances):.2f})"


def choose_real_pictures(run: Run, registry: Registry, label: int | None = None) -> RealPictures:
    """Real pictures of a run, or of a class of it; none, with a warning, if they are gone."""
    try:
        prepared = prepare_again(run, registry)
    except GankitError as error:
        log.warning("there are no real pictures to compare with: %s", error)
        return RealPictures([], [])
    if label is not None:
        prepared = only_class(prepared, label)
    rows = [shuffle(part, run.data_seed)[:COUNT] for part in (prepared.train, prepared.holdout)]
    trained, held_out = ([prepared.pixels[row] for row in part] for part in rows)
    return RealPictures(trained, held_out)
