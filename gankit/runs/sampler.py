"""Sampler: sample pictures from a trained generator."""

import math
import operator
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gankit.core.class_labels import columns_in_turn, labels_in_turn
from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.randomness import latents, latents_of_seeds
from gankit.core.run.settings import Run
from gankit.runs.find_class import Label, find_class, to_labels
from gankit.runs.images import arrange, resize, to_pictures
from gankit.runs.sample_limits import MAX_SIZE, NEAR_COUNT, SPREAD
from gankit.training.assemble import build_gan
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.check_checkpoint import check_keys, load_weights
from gankit.training.checkpoints.named_checkpoint import Step, checkpoint_path, named_step
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.grid_latents import grid_latents
from gankit.training.run_folder.run_file import GRID_SIZE, folder_of, load_run
from gankit.training.run_folder.run_parts import SAMPLED, require_parts
from gankit.training.settings.python_words import called_in_python

BATCH_SIZE = 64  # pictures that the generator draws at once


class Sampler:
    """The generator of a run at one of its checkpoints; the same seed gives the same picture."""

    def __init__(self, run: Run, step: int, net: torch.nn.Module) -> None:
        self.run = run
        self.step = step
        self.net = net.eval().requires_grad_(False)

    def __repr__(self) -> str:
        return f"<Sampler of {self.run.folder} at step {self.step}>"

    def latents(self, seeds: Iterable[int]) -> Tensor:
        """The latents z of these seeds: (N, latent_dim). GankitError if there is no seed."""
        seeds = _require_seeds(seeds)
        if not seeds:
            raise GankitError("there is no seed to draw: give one or more")
        return latents_of_seeds(seeds, self.run.latent_dim)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of a run with class labels, in the order of their numbers; else empty."""
        return self.run.class_names

    def labels(self, seeds: Iterable[int], label: Label | None = None) -> Tensor | None:
        """The class (N,) of each seed's picture, as a number; None for a run without class labels.

        `label`: the class of all of them, by name or number. By default eight seeds in a row are of
        one class, as in the run's grids; with more than 8 classes, the classes take turns.
        GankitError if there is no such class.
        """
        seeds = _require_seeds(seeds)
        if label is not None:
            number = find_class(self.class_names, label)
            return torch.full((len(seeds),), number, dtype=torch.int64)
        return labels_in_turn(seeds, len(self.class_names)) if self.class_names else None

    @torch.no_grad()
    def images(self, z: Tensor, labels: Tensor | NDArray[Any] | None = None) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent_dim), in batches of 64.

        `labels`: with class labels, the class (N,) of each image, or its shares of all classes,
        (N, number of classes), as a tensor or an array; by default, those of `labels(range(N))`.
        GankitError if z or labels have another shape or no rows.
        """
        self._check_shape(z)
        labels = self._labels_of(z, labels)
        if labels is None:
            return torch.cat([self.net(batch).float() for batch in torch.split(z, BATCH_SIZE)])
        parts = zip(torch.split(z, BATCH_SIZE), torch.split(labels, BATCH_SIZE), strict=True)
        return torch.cat([self.net(*part).float() for part in parts])

    def latents_near(
        self, seed: int, numbers: Iterable[int] = range(NEAR_COUNT), spread: float = SPREAD
    ) -> Tensor:
        """The latents z (N, latent_dim) of pictures near that of a seed, by their numbers.

        Number 0 is the picture itself. Each of the others mixes its z with noise of its own:
        sqrt(1 - spread^2) * z + spread * noise, which is as long as z. GankitError if `numbers`
        is empty, or if `spread` is not above 0 and at most 1.
        """
        if not 0 < spread <= 1:
            raise GankitError(f"spread is {spread}; it must be above 0, and 1 at most")
        z = self.latents([seed])
        near = []
        for number in _require_seeds(numbers):
            noise = latents(seed, number, 1, self.run.latent_dim, "near")
            near.append(mix_z(z, noise, spread) if number else z)
        if not near:
            raise GankitError("there is no picture to draw: give one number or more")
        return torch.cat(near)

    def latents_of_cells(self, cells: Iterable[int]) -> Tensor:
        """The latents z (N, latent_dim) of cells of the run's own grids, in samples/.

        Cells are counted from 0, row by row. In a new run, cell k has the z of seed k. GankitError
        if there is no such cell.
        """
        cells = _require_seeds(cells)
        for cell in cells:
            if not 0 <= cell < GRID_SIZE:
                raise GankitError(
                    f"cell {cell} does not exist: a grid has cells 0 to {GRID_SIZE - 1}"
                )
        return grid_latents(self.run)[cells]

    def sample(self, seed: int = 0, *, label: Label | None = None, size: int = 0) -> Image.Image:
        """The picture of a seed, in RGB or, with `--channels 4`, in RGBA.

        `size`: the pixels of its longer side; 0: as G draws it.

        `label`: with class labels, the class to draw, by name or number, as for `labels`.
        """
        frame = self.frames(self.latents([seed]), self.labels([seed], label))[0]
        return resize(Image.fromarray(frame), _require_size(size), self.run.resample)

    def frames(self, z: Tensor, labels: Tensor | NDArray[Any] | None = None) -> NDArray[np.uint8]:
        """The pictures of z (N, latent_dim), as uint8 (N, H, W, 3).

        `labels` and GankitError: as for `images`. With `--channels 4` the pictures are RGBA, as
        files hold it: (N, H, W, 4), not premultiplied.
        """
        self._check_shape(z)
        labels = self._labels_of(z, labels)
        # Converted batch by batch, because bytes take a quarter of the memory of floats.
        starts = range(0, len(z), BATCH_SIZE)
        rows = [slice(start, start + BATCH_SIZE) for start in starts]
        if labels is None:
            return np.concatenate([to_pictures(self.images(z[part])) for part in rows])
        return np.concatenate([to_pictures(self.images(z[part], labels[part])) for part in rows])

    def draw(
        self,
        z: Tensor,
        columns: int = 0,
        *,
        labels: Tensor | NDArray[Any] | None = None,
        size: int = 0,
        numbers: Sequence[int] = (),
    ) -> Image.Image:
        """A grid of the pictures of z (N, latent_dim), in RGB; nearly square if `columns` is 0.

        `labels`: with class labels, the class (N,) of each, as for `images`.
        `size`: the pixels of each picture's longer side. `numbers`: one for each picture, written
        on it. GankitError if z has another shape or no rows, if `columns` is negative, or if there
        are not as many numbers as rows.
        """
        self._check_shape(z)
        if columns < 0:
            raise GankitError(f"columns is {columns}; it must be 0 (nearly square) or more")
        if len(numbers) not in (0, len(z)):
            raise GankitError(f"there are {len(numbers)} numbers for {len(z)} pictures")
        return arrange(
            self.frames(z, labels),
            columns,
            size=_require_size(size),
            numbers=numbers,
            resample=self.run.resample,
        )

    def grid(
        self,
        count: int = 64,
        seed: int = 0,
        *,
        seeds: Iterable[int] | None = None,
        label: Label | None = None,
        size: int = 0,
        numbers: bool = False,
    ) -> Image.Image:
        """A grid of the pictures of seeds `seed`, `seed + 1`, ..., or of the given `seeds`.

        `label`: with class labels, the class of all of them, by name or number.
        `size`: the pixels of each picture's longer side. With `numbers`, each picture's seed is
        written on it. GankitError if `count` is below 1.
        """
        _require_count(count)
        drawn = _require_seeds(range(seed, seed + count) if seeds is None else seeds)
        labels = self.labels(drawn, label)
        shown = drawn if numbers else ()
        columns = columns_in_turn(drawn, len(self.class_names)) if label is None else 0
        return self.draw(self.latents(drawn), columns, labels=labels, size=size, numbers=shown)

    def near(
        self,
        seed: int,
        count: int = NEAR_COUNT,
        spread: float = SPREAD,
        *,
        label: Label | None = None,
        size: int = 0,
        numbers: bool = False,
    ) -> Image.Image:
        """A grid of a seed's picture, which comes first, and of pictures near it.

        The larger `spread` is, the less alike they are, up to 1; see `latents_near`. `label`: with
        class labels, the class of all of them, by name or number; by default, that of the seed.
        """
        _require_count(count)
        z = self.latents_near(seed, range(count), spread)
        labels = self.labels([seed] * count, label)
        return self.draw(z, labels=labels, size=size, numbers=range(count) if numbers else ())

    def explore(self) -> Any:
        """Play with the generator on the page of `gankit explore`.

        In a notebook, the page is shown as the result of the cell. Elsewhere it is written into the
        run's folder and opened in your browser; its path is in the text of the result. GankitError
        if the page cannot draw this generator.
        """
        return registry_of(self.run).explorer()(self)

    def _labels_of(self, z: Tensor, labels: Tensor | NDArray[Any] | None) -> Tensor | None:
        """The labels of these z as a tensor; None for a run without class labels. GankitError."""
        if labels is None:
            return self.labels(range(len(z)))
        return to_labels(labels, len(z), self.class_names)

    def _check_shape(self, z: Tensor) -> None:
        if not isinstance(z, Tensor):
            cure = "give a tensor, such as sampler.latents(range(64))"
            raise GankitError(f"z is {quote_value(z)}: {cure}")
        if z.ndim != 2 or z.shape[1] != self.run.latent_dim or not len(z):
            expected = f"(N, {self.run.latent_dim}) with N of 1 or more"
            raise GankitError(f"z has shape {tuple(z.shape)}; expected {expected}")


def mix_z(z: Tensor, noise: Tensor, spread: float) -> Tensor:
    """z with a share of noise, so that the result is ~ N(0, 1) if both are."""
    return math.sqrt(1 - spread**2) * z + spread * noise


def _require_count(count: int) -> None:
    if count < 1:
        raise GankitError(f"count is {count}; it must be 1 or more")


def _require_size(size: int) -> int:
    if not 0 <= size <= MAX_SIZE:
        raise GankitError(f"size is {size}; it must be from 1 to {MAX_SIZE}, or 0: as G draws")
    return size


def _require_seeds(seeds: Any) -> list[int]:
    """The seeds as numbers. GankitError if they are not a list or range of whole numbers."""
    try:
        return [operator.index(seed) for seed in seeds]
    except TypeError as error:
        cure = "give a list or a range of whole numbers, such as range(64)"
        raise GankitError(f"seeds is {quote_value(seeds)}: {cure}") from error


@called_in_python
def load(folder: str | Path | Run, step: Step = None, registry: Registry | None = None) -> Sampler:
    """Load the sampler of a run or its folder, from the checkpoint of `step` or the newest one.

    `step` may also be "best", if the run trained with `keep_best`, or "last". `gankit.load(
    "runs/petals-1").sample(seed=7)` is a PIL image. The network is on the CPU.
    GankitError if there is no run or no such checkpoint.
    """
    path = find_run(folder_of(folder), " and step={step}")
    given = folder if isinstance(folder, Run) else path
    run = load_run(given, device="cpu", precision="32", threads=0)
    checkpoints = run.folder / "checkpoints"
    step = named_step(run.folder, step)
    if step is None:
        checkpoint.require_checkpoints(checkpoints)
    registry = registry_of(run, registry)
    require_parts(run, registry, SAMPLED)
    gan, _ = build_gan(run, registry)

    def use(saved: checkpoint.Checkpoint) -> None:
        check_keys("model", saved.model, {"G"}, {"D", "sampler"})
        load_weights(gan.G.net, saved.model.get("sampler", saved.model["G"]), "G")

    if step is None:
        _, saved, _ = checkpoint.load_newest(checkpoints, use)
    else:
        path = checkpoint_path(checkpoints, step)
        names = [existing.name for existing in checkpoint.list_checkpoints(checkpoints)]
        if path.name not in names:
            available = ", ".join(names) or "none"
            raise GankitError(f"{run.folder} has no checkpoint {path.name}; it has: {available}")
        saved = checkpoint.load(path)
        with checkpoint.errors_of(path):
            use(saved)
    return Sampler(run, saved.step, gan.G.net)
