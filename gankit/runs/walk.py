"""Walks through the latent space: from the picture of one seed to that of the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor

from gankit.runs.images import to_grid
from gankit.runs.sampler import Sampler

FRAMES_PER_PICTURE = 24  # of a loop: from one picture to the next


def strip(sampler: Sampler, seed: int, count: int) -> Image.Image:
    """A row of `count` pictures, from `seed` to the next seed."""
    z = interpolate(sampler.latents([seed, seed + 1]), count - 1)[:count]
    return sampler.draw(z, columns=count)


def loop_frames(sampler: Sampler, seed: int, count: int) -> Iterator[Image.Image]:
    """The frames of a walk through the pictures of `count` seeds, and back to the first."""
    for number in range(count):
        following = (number + 1) % count
        z = interpolate(sampler.latents([seed + number, seed + following]), FRAMES_PER_PICTURE)
        for image in sampler.images(z[:-1]):  # the last z begins the next part of the walk
            yield to_grid(image[None], gap=0)


def interpolate(z: Tensor, steps: int) -> Tensor:
    """Spherical interpolation (slerp) through z (N, latent_dim), with `steps` points from each z
    to the next; the last z comes last.

    Gaussian z lie near a sphere. A straight line leaves the sphere, and its middle gives grey
    pictures (White 2016, arXiv 1609.04468).
    """
    points = []
    for start, end in itertools.pairwise(z):
        cosine = torch.dot(start, end) / (start.norm() * end.norm())
        angle = math.acos(float(cosine.clamp(-1, 1)))
        for t in torch.arange(max(steps, 1)) / max(steps, 1):
            if math.sin(angle) > 1e-3:
                start_weight = math.sin((1 - t) * angle)
                end_weight = math.sin(t * angle)
                points.append((start_weight * start + end_weight * end) / math.sin(angle))
            else:  # parallel vectors have no unique arc between them
                points.append(torch.lerp(start, end, t))
    return torch.stack([*points, z[-1]])
