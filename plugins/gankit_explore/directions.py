"""Directions in the latent space that change a generator's pictures much, found without labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import svds
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from gankit.core import randomness
from gankit.core.class_labels import without_labels
from gankit.data.alpha import ALPHA
from gankit.runs.sampler import Sampler
from gankit_explore.petal_factors import Pictures, strongest_factor

MAX_DIRECTIONS = 6  # more sliders make a page harder to use, and its users no more accurate
CANDIDATES = 6  # of each kind
NUM_Z = 2000  # for principal components
NUM_RANKED = 8  # pictures on which the effect of a candidate is measured
NUM_NAMED = 32  # pictures on which the factors of a chosen direction are measured
MIN_PETALS = (
    32  # px: smaller pictures of petals cannot be measured, and oblong ones cut flowers off
)
REACH = 3.0  # how far from a seed, each way
MAX_COSINE = 0.7  # between two directions; those that are closer do the same
WEIGHTS = "the weights of G's first layer"
ACTIVATIONS = "the early activations of G"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Direction:
    """A step of length 1 in the latent space, and what it does."""

    z: Floats  # (latent_dim,)
    source: str  # where it was found
    change: float  # mean change of a pixel, in levels of 255, over a way of 2 * REACH
    factor: str = ""  # what it was measured to change most; empty: not measured, or not clear
    strength: float = 0.0  # of that change, in standard deviations of the factor


class _Enough(Exception):
    """The layers that were asked for have run."""


def find_directions(sampler: Sampler) -> list[Direction]:
    """At most six directions, those with the largest effect first.

    Candidates are the singular vectors of G's first layer (SeFa: Shen & Zhou 2021, arXiv
    2007.06600) and the z that go with the principal components of what G's second layer gets
    (GANSpace: Härkönen et al. 2020, arXiv 2004.02546). On pictures of petals, the factor that a
    direction changes most is measured. Empty if G has no layer with weights.
    """
    candidates = [(z, WEIGHTS) for z in singular_directions(sampler)]
    candidates += [(z, ACTIVATIONS) for z in principal_directions(sampler)]
    measured = [_measure(sampler, z, source) for z, source in candidates]
    chosen: list[Direction] = []
    for direction in sorted(measured, key=lambda each: -each.change):
        cosines = [abs(float(direction.z @ other.z)) for other in chosen]
        if direction.change > 0 and max(cosines, default=0.0) < MAX_COSINE:
            chosen.append(direction)
    chosen = chosen[:MAX_DIRECTIONS]
    run = sampler.run
    draws_petals = run.dataset.name == "petals" and run.size.is_square
    draws_petals = draws_petals and run.size.width >= MIN_PETALS
    draws_petals = draws_petals and run.channels != ALPHA  # which its measures do not take
    return [_name(sampler, direction) for direction in chosen] if draws_petals else chosen


def singular_directions(sampler: Sampler) -> list[Floats]:
    """The z (latent_dim,), of length 1, that change the output of G's first layer most."""
    z = torch.cat([torch.zeros(1, sampler.run.latent_dim), torch.eye(sampler.run.latent_dim)])
    outputs, _ = _early(without_labels(sampler.net, len(sampler.run.class_names)), z)
    if outputs is None:
        return []
    matrix = outputs[1:] - outputs[:1]  # the first layer is linear: a row for each number of z
    vectors, _, _ = torch.linalg.svd(matrix, full_matrices=False)
    return [_unit(column) for column in vectors.T[:CANDIDATES].numpy()]


def principal_directions(sampler: Sampler) -> list[Floats]:
    """The z (latent_dim,), of length 1, that go with the principal components of activations."""
    z = randomness.latents(0, 0, NUM_Z, sampler.run.latent_dim, "directions")
    num_classes = len(sampler.run.class_names)
    _, inputs = _early(without_labels(sampler.net, num_classes), z)
    if inputs is None or min(inputs.shape) <= CANDIDATES:
        return []
    for number in range(max(num_classes, 1)):
        of_class = inputs[number :: max(num_classes, 1)]
        of_class -= of_class.mean(dim=0)  # what z changes, and not the class
    centred = inputs.numpy()
    # ARPACK starts from this vector, so a run has the same directions each time.
    start = np.ones(min(centred.shape), np.float32)
    left, sizes, _ = svds(centred, k=CANDIDATES, v0=start)
    order = np.argsort(-sizes)
    return [_unit(z.numpy().T @ left[:, index]) for index in order]


@torch.no_grad()
def _early(net: nn.Module, z: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """What G's first layer with weights gives, and what its second gets: (N, numbers) for each.

    None for a layer that G does not have.
    """
    seen: list[nn.Module] = []
    outputs: list[Tensor] = []
    inputs: list[Tensor] = []

    def before(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        seen.append(layer)
        if len(seen) == 2:
            inputs.append(args[0].float().flatten(1).clone())
            raise _Enough

    def after(layer: nn.Module, args: Any, output: Tensor) -> None:
        if len(seen) == 1:
            outputs.append(output.float().flatten(1).clone())

    layers = [layer for layer in net.modules() if isinstance(layer, (nn.Linear, _ConvNd))]
    hooks = [layer.register_forward_pre_hook(before) for layer in layers]
    hooks += [layer.register_forward_hook(after) for layer in layers]
    try:
        net(z)
    except _Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return next(iter(outputs), None), next(iter(inputs), None)


def _unit(z: Floats) -> Floats:
    """The direction with length 1 and its largest number positive, as signs mean nothing."""
    size = np.linalg.norm(z) * np.sign(z[np.abs(z).argmax()])
    unit: Floats = (z / size).astype(np.float32)
    return unit


def _measure(sampler: Sampler, z: Floats, source: str) -> Direction:
    """A direction with its effect."""
    low, high = _ends(sampler, z, NUM_RANKED)
    change = float(np.abs(high.astype(np.float32) - low).mean())
    return Direction(z, source, change)


def _name(sampler: Sampler, direction: Direction) -> Direction:
    """The direction with the factor of petals that it changes most."""
    factor, strength = strongest_factor(*_ends(sampler, direction.z, NUM_NAMED))
    return replace(direction, factor=factor, strength=strength)


def _ends(sampler: Sampler, z: Floats, count: int) -> tuple[Pictures, Pictures]:
    """Pictures of the first seeds at both ends of a direction's way."""
    seeds = sampler.latents(range(count))
    step = REACH * torch.from_numpy(z)
    return sampler.frames(seeds - step), sampler.frames(seeds + step)
