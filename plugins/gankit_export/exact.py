"""Does a file draw what the generator draws? What no file can repeat is refused."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gankit.core.errors import GankitError
from gankit.runs.sampler import Sampler

TOLERANCE = 1e-3  # of values in [-1, 1]; one of 255 levels of a pixel is 8e-3
SEEDS = range(4)  # whose pictures are compared


def inputs_of_seeds(sampler: Sampler, seeds: Sequence[int] = SEEDS) -> tuple[Tensor, ...]:
    """What G takes for these seeds: z and, with class labels, a class (N,) of each."""
    z = sampler.latents(seeds)
    num_classes = len(sampler.class_names)
    return (z, torch.arange(len(seeds)) % num_classes) if num_classes else (z,)


def require_repeatable(sampler: Sampler) -> None:
    """GankitError unless the same input always gives the same picture, alone or among others.

    A generator that draws random numbers itself, or looks across the batch, gives others.
    """
    inputs = inputs_of_seeds(sampler)
    with torch.random.fork_rng(devices=[]):
        images = sampler.images(*inputs)
        is_repeated = torch.equal(images, sampler.images(*inputs))
        alone = sampler.images(*(each[:1] for each in inputs))
    why = ""
    if not is_repeated:
        why = "draws another picture each time of the same z"
    elif largest_difference(alone, images[:1]) > TOLERANCE:
        why = "draws another picture of a z when it draws others with it"
    if why:
        raise GankitError(f"{_name(sampler)} {why}, so no file can draw its pictures")


def require_same_pictures(sampler: Sampler, images: Tensor, file: str) -> float:
    """The largest difference between the images that a file draws of SEEDS, and the sampler's.

    GankitError if it is above TOLERANCE.
    """
    difference = largest_difference(images, sampler.images(*inputs_of_seeds(sampler)))
    if not difference <= TOLERANCE:
        what = f"{file} would draw other pictures than {_name(sampler)}"
        raise GankitError(f"{what}: they differ by up to {difference:.2g} in [-1, 1]", 1)
    return difference


def largest_difference(images: Tensor, expected: Tensor) -> float:
    """Of two tensors of images; infinite if their shapes differ."""
    if images.shape != expected.shape:
        return float("inf")
    return float((images - expected).abs().max())


def cannot_export(sampler: Sampler, form: str, why: str) -> GankitError:
    """The error for a generator that a format cannot hold."""
    return GankitError(f"{_name(sampler)} cannot be exported as {form}: {why}")


def _name(sampler: Sampler) -> str:
    return f"generator {str(sampler.run.generator)!r}"
