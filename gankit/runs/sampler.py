"""Sampler: a trained generator, to draw pictures from."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gankit.core import randomness
from gankit.core.errors import GankitError
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.runs.images import to_frames, to_grid
from gankit.training import checkpoint
from gankit.training.assemble import build_gan
from gankit.training.run_file import load_run


class Sampler:
    """The sampler of a run at one of its checkpoints; the same seed gives the same picture."""

    def __init__(self, run: Run, step: int, net: torch.nn.Module) -> None:
        self.run, self.step, self.net = run, step, net.eval().requires_grad_(False)

    def latents(self, seeds: range | list[int]) -> Tensor:
        """One z for each seed: (N, latent_dim)."""
        return torch.cat([randomness.latents(seed, 0, 1, self.run.latent_dim) for seed in seeds])

    @torch.no_grad()
    def images(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] for z (N, latent_dim), drawn 64 at a time."""
        if z.ndim != 2 or z.shape[1] != self.run.latent_dim:
            raise GankitError(f"z has shape {tuple(z.shape)}; wanted (N, {self.run.latent_dim})")
        return torch.cat([self.net(part).float() for part in torch.split(z, 64)])

    def sample(self, seed: int = 0) -> Image.Image:
        """One picture."""
        return Image.fromarray(to_frames(self.images(self.latents([seed])))[0])

    def draw(self, z: Tensor, columns: int = 0) -> Image.Image:
        """A grid of the pictures of z (N, latent_dim), square or with so many columns."""
        return to_grid(self.images(z), columns)

    def grid(self, count: int = 64, seed: int = 0) -> Image.Image:
        """A grid of the pictures of seeds `seed`, `seed + 1`, ..."""
        return self.draw(self.latents(range(seed, seed + count)))


def load(folder: str | Path, step: int | None = None, registry: Registry | None = None) -> Sampler:
    """The sampler of the run in `folder`, at its newest checkpoint or at the one of `step`.

    `gankit.load("runs/petals-1").sample(seed=7)` is a PIL image. Loads onto the CPU.
    """
    anywhere = {"device": "cpu", "precision": "32", "threads": 0}
    run = load_run(Path(folder), **anywhere)
    checkpoints = Path(folder, "checkpoints")
    if step is None:
        path, saved, _ = checkpoint.newest(checkpoints)
    else:
        path = checkpoints / f"step-{step:06d}"
        kept = [there.name for there in checkpoint.existing(checkpoints)]
        if path.name not in kept:
            has = ", ".join(kept) or "none"
            raise GankitError(f"{folder} keeps no checkpoint {path.name}; it keeps {has}")
        saved = checkpoint.load(path)
    gan, _ = build_gan(run, registry or load_registry())
    checkpoint.load_into(gan.G.net, saved.model.get("sampler", saved.model["G"]), "G", path)
    return Sampler(run, saved.step, gan.G.net)
