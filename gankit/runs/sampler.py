"""Sampler: sample pictures from a trained generator."""

import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gankit.core import randomness
from gankit.core.errors import GankitError, quote_value
from gankit.core.registry import Registry, registry_of
from gankit.core.settings import Run
from gankit.runs.images import arrange, to_frames
from gankit.training import checkpoint
from gankit.training.assemble import build_gan
from gankit.training.check_checkpoint import check_keys, load_weights
from gankit.training.find_run import find_run
from gankit.training.python_words import called_in_python
from gankit.training.run_file import folder_of, load_run
from gankit.training.run_parts import SAMPLED, require_parts

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
        z = [randomness.latents(seed, 0, 1, self.run.latent_dim) for seed in seeds]
        if not z:
            raise GankitError("there is no seed to draw: give one or more")
        return torch.cat(z)

    @torch.no_grad()
    def images(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent_dim), in batches of 64.

        GankitError if z has another shape or no rows.
        """
        self._check_shape(z)
        return torch.cat([self.net(batch).float() for batch in torch.split(z, BATCH_SIZE)])

    def sample(self, seed: int = 0) -> Image.Image:
        """The picture of a seed."""
        return Image.fromarray(to_frames(self.images(self.latents([seed])))[0])

    def draw(self, z: Tensor, columns: int = 0) -> Image.Image:
        """A grid of the pictures of z (N, latent_dim); nearly square if `columns` is 0.

        GankitError if z has another shape or no rows, or if `columns` is negative.
        """
        self._check_shape(z)
        if columns < 0:
            raise GankitError(f"columns is {columns}; it must be 0 (nearly square) or more")
        # Converted batch by batch, because bytes take a quarter of the memory of floats.
        frames = [to_frames(self.images(batch)) for batch in torch.split(z, BATCH_SIZE)]
        return arrange(np.concatenate(frames), columns)

    def grid(self, count: int = 64, seed: int = 0) -> Image.Image:
        """A grid of the pictures of seeds `seed`, `seed + 1`, ...

        GankitError if `count` is below 1.
        """
        if count < 1:
            raise GankitError(f"count is {count}; it must be 1 or more")
        return self.draw(self.latents(range(seed, seed + count)))

    def _check_shape(self, z: Tensor) -> None:
        if not isinstance(z, Tensor):
            cure = "give a tensor, such as sampler.latents(range(64))"
            raise GankitError(f"z is {quote_value(z)}: {cure}")
        if z.ndim != 2 or z.shape[1] != self.run.latent_dim or not len(z):
            expected = f"(N, {self.run.latent_dim}) with N of 1 or more"
            raise GankitError(f"z has shape {tuple(z.shape)}; expected {expected}")


def _require_seeds(seeds: Any) -> list[int]:
    """The seeds as numbers. GankitError if they are not a list or range of whole numbers."""
    try:
        return [operator.index(seed) for seed in seeds]
    except TypeError as error:
        cure = "give a list or a range of whole numbers, such as range(64)"
        raise GankitError(f"seeds is {quote_value(seeds)}: {cure}") from error


@called_in_python
def load(
    folder: str | Path | Run, step: int | None = None, registry: Registry | None = None
) -> Sampler:
    """Load the sampler of a run or its folder, from the checkpoint of `step` or the newest one.

    `gankit.load("runs/petals-1").sample(seed=7)` is a PIL image. The network is on the CPU.
    GankitError if there is no run or no such checkpoint.
    """
    path = find_run(folder_of(folder), " and step={step}")
    given = folder if isinstance(folder, Run) else path
    run = load_run(given, device="cpu", precision="32", threads=0)
    checkpoints = run.folder / "checkpoints"
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
        path = checkpoints / f"step-{step:06d}"
        names = [existing.name for existing in checkpoint.list_checkpoints(checkpoints)]
        if path.name not in names:
            available = ", ".join(names) or "none"
            raise GankitError(f"{run.folder} has no checkpoint {path.name}; it has: {available}")
        saved = checkpoint.load(path)
        with checkpoint.errors_of(path):
            use(saved)
    return Sampler(run, saved.step, gan.G.net)
