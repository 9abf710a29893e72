"""`find`: the z whose picture comes closest to a given one, and how close that is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gankit.core import randomness
from gankit.core.class_labels import OneClass
from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.printable import printable
from gankit.core.progress import Progress, no_progress
from gankit.core.run.settings import Run
from gankit.core.shell import quote_word
from gankit.runs.find_class import Label, find_class
from gankit.runs.images import from_uint8
from gankit.runs.sampler import Sampler, load
from gankit.training.checkpoints.named_checkpoint import Step
from gankit.training.run_folder.run_file import Data, load_run
from gankit.training.settings.python_words import called_in_python
from gankit_explore.find.comparison import STEPS, Comparison, RealPictures, choose_real_pictures
from gankit_explore.find.distance import Distance
from gankit_explore.find.picture import read_picture
from gankit_explore.find.search import Way, distances_from, refine, search, spread_along

NUM_RANDOM = 1024  # z, of which the best are the starts
BATCH_SIZE = 64
STRIP = 10  # pictures of the way


@dataclass(frozen=True)
class Found:
    """The z whose picture comes closest, and how close it comes."""

    sampler: Sampler
    target: Pixels  # (H, W, C), as the search saw it
    z: Tensor  # (latent_dim,)
    distance: float  # 0: the same picture; 1: typical of two random pictures of G
    start: float  # the distance of the best random z
    way: Tensor  # (10, latent_dim): from the start to z
    comparison: Comparison | None = None  # None: the run's pictures are gone, or it was stopped
    is_complete: bool = True  # False: Ctrl-C ended the search early
    shares: Tensor | None = None  # (num_classes,), of the class that was searched in

    def describe(self) -> list[str]:
        """How close G comes, as sentences."""
        closest = (
            f"G's closest picture is at distance {self.distance:.2f}; the best random one was at "
            f"{self.start:.2f} (0: the same picture; 1: typical of two random pictures of G)"
        )
        return [closest, *(self.comparison.describe() if self.comparison else [])]


@called_in_python
def find(
    run: str | Path | Run | Sampler,
    picture: Any,
    starts: int = 8,
    steps: int = 200,
    checkpoint: Step = None,
    registry: Registry | None = None,
    progress: Progress = no_progress,
    data: Data = (),
    label: Label | None = None,
) -> Found:
    """Find the z whose picture comes closest to a picture, and compare with real pictures.

    The best of 1,024 random z are the starts of a gradient descent, which keeps the norm of z near
    that of the z in training. The same call gives the same z. Ctrl-C ends the search early.
    run: a folder, a Run, or a Sampler.
    picture: a path, a PIL image, or an array of uint8. data: where the run's pictures are now.
    label: with class labels, the class to search in, by name or number.
    GankitError for a bad picture or number.
    """
    _check_numbers(starts=starts, steps=steps)
    sampler = run if isinstance(run, Sampler) else load(run, checkpoint, registry)
    run_with_classes = sampler.run
    number = _find_class(sampler, label)
    if number is not None:
        sampler = _of_class(sampler, number)
    target = read_picture(picture, sampler.run)
    searcher = _Searcher(sampler, starts, steps, progress)
    way, start, is_complete = searcher.find_picture(target)
    comparison = None
    if is_complete:
        try:
            real = _real_pictures(run_with_classes, data, registry, number)
            comparison = searcher.compare(target, real)
        except KeyboardInterrupt:
            is_complete = False
    strip = spread_along(way.visited, STRIP)
    shares = _shares(number, len(run_with_classes.class_names))
    of_way = (target, way.z, way.distance, start, strip)
    return Found(sampler, *of_way, comparison, is_complete, shares)


def _real_pictures(
    run: Run, data: Data, registry: Registry | None, label: int | None
) -> RealPictures:
    """Those to compare with; `data` is where they are now."""
    moved = load_run(run, data=data) if data else run
    return choose_real_pictures(moved, registry_of(moved, registry), label)


def _check_numbers(**numbers: int) -> None:
    """GankitError for a number below 1."""
    for name, number in numbers.items():
        if number < 1:
            raise GankitError(f"{name} is {number}; it must be 1 or more")


def _shares(number: int | None, num_classes: int) -> Tensor | None:
    """The shares (num_classes,) of the class that was searched in."""
    return None if number is None else one_hot(torch.tensor(number), num_classes)


def _find_class(sampler: Sampler, label: Label | None) -> int | None:
    """The number of the class to search in; None without class labels. GankitError."""
    names = sampler.class_names
    if label is not None:
        return find_class(names, label)
    if names:
        raise GankitError(
            "this run has class labels: name the class to search in, as in --class "
            f"{quote_word(printable(names[0]))}"
        )
    return None


def _of_class(sampler: Sampler, number: int) -> Sampler:
    """A sampler whose G draws one class, as a G without class labels."""
    net = OneClass(sampler.net, number)
    return Sampler(dataclasses.replace(sampler.run, class_names=()), sampler.step, net)


class _Searcher:
    """Searches in the space of one generator."""

    def __init__(self, sampler: Sampler, starts: int, steps: int, progress: Progress) -> None:
        self.sampler = sampler
        self.starts = starts
        self.steps = steps
        self.progress = progress
        self.random = randomness.latents(0, 0, NUM_RANDOM, sampler.run.latent_dim, "find")
        self.total = NUM_RANDOM // BATCH_SIZE + steps + steps // 2 + STEPS
        self.distance = Distance(sampler.images(self.random[: 2 * BATCH_SIZE]))

    def embed(self, z: Tensor) -> Tensor:
        return self.distance.embed(self.sampler.net(z).float())

    def find_picture(self, target: Pixels) -> tuple[Way, float, bool]:
        """The best way to a picture, the distance of the best random z, and whether it ended."""
        place = self._embed_pictures([target])
        distances = self._try_random(place, 0)[:, 0]
        best = distances.argsort()[: self.starts]
        done = NUM_RANDOM // BATCH_SIZE
        ways, is_complete = search(
            self.embed,
            place.expand(len(best), -1),
            self.random[best],
            self.steps,
            lambda step: self._show(done + step),
            halves=True,
        )
        way = min(ways, key=lambda way: way.distance)
        if is_complete:
            done += self.steps
            way, is_complete = refine(
                self.embed, place[0], way, self.steps // 2, lambda step: self._show(done + step)
            )
        return way, float(distances.min()), is_complete

    def compare(self, target: Pixels, real: RealPictures) -> Comparison | None:
        """Search for the picture and for real ones in the same short way; None without these."""
        pictures = [target, *real.trained, *real.held_out]
        if len(pictures) == 1:
            return None
        places = self._embed_pictures(pictures)
        best = self._try_random(places, None).argmin(dim=0)
        done = self.total - STEPS
        ways, is_complete = search(
            self.embed, places, self.random[best], STEPS, lambda step: self._show(done + step)
        )
        if not is_complete:
            raise KeyboardInterrupt
        own, *others = (way.distance for way in ways)
        num_trained = len(real.trained)
        return Comparison(own, tuple(others[:num_trained]), tuple(others[num_trained:]))

    @torch.no_grad()
    def _embed_pictures(self, pictures: list[Pixels]) -> Tensor:
        images = from_uint8(np.stack(pictures))
        return torch.cat([self.distance.embed(batch) for batch in torch.split(images, BATCH_SIZE)])

    def _try_random(self, places: Tensor, done: int | None) -> Tensor:
        """(NUM_RANDOM, M): how far the pictures of random z are from each place."""
        distances = []
        for number, z in enumerate(torch.split(self.random, BATCH_SIZE)):
            distances.append(distances_from(self.embed, z, places))
            if done is not None:
                self._show(done + number)
        return torch.cat(distances)

    def _show(self, done: int) -> None:
        self.progress(done, self.total)
