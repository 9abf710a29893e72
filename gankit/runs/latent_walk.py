"""Walks through the latent space: from picture to picture, or in a circle around one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator

import torch
from PIL import Image
from torch import Tensor

from gankit.data.alpha import on_checkerboard
from gankit.runs.images import resize
from gankit.runs.sampler import Sampler, mix_z

FRAMES_AT_ONCE = 24  # that G draws, so that a long film needs no more memory than a short one


def walk(z: Tensor, count: int, *, closed: bool = False, eased: bool = False) -> Iterator[Tensor]:
    """`count` points (latent_dim,) on the way through z (N, latent_dim), evenly spread in time.

    It begins at the first z, and ends at the last one or, if it is `closed`, one point before the
    first. An `eased` walk slows down at each z. Between two z it follows `slerp`.
    """
    stops = [*z, z[0]] if closed else list(z)
    for part, t in _places(len(stops) - 1, count, closed=closed, eased=eased):
        yield slerp(stops[part], stops[part + 1], t) if t else stops[part]


def walk_labels(
    shares: Tensor, count: int, *, closed: bool = False, eased: bool = False
) -> Iterator[Tensor]:
    """The shares (num_classes,) of the classes at the same places as those of `walk`.

    `shares` (N, num_classes) are those at each z; between two they change along a straight line.
    """
    stops = [*shares, shares[0]] if closed else list(shares)
    for part, t in _places(len(stops) - 1, count, closed=closed, eased=eased):
        yield torch.lerp(stops[part], stops[part + 1], t) if t else stops[part]


def _places(parts: int, count: int, *, closed: bool, eased: bool) -> Iterator[tuple[int, float]]:
    """`count` places on a way of these parts: the part, and the share of it that is behind."""
    intervals = max(count if closed else count - 1, 1)
    for number in range(count):
        part, rest = divmod(number * max(parts, 1), intervals)
        if part >= parts:  # the end of an open walk
            yield parts, 0.0
            continue
        t = rest / intervals
        yield part, ease(t) if eased else t


def ease(t: float) -> float:
    """A share of the way after a share t of the time, slow at both ends; both are from 0 to 1."""
    return t * t * (3 - 2 * t)


def slerp(start: Tensor, end: Tensor, t: float) -> Tensor:
    """Spherical interpolation: the point at t, from 0 to 1, of the arc between two z (latent_dim,).

    Gaussian z lie near a sphere. A straight line leaves the sphere, and its middle gives grey
    pictures (White 2016, arXiv 1609.04468).
    """
    share = torch.tensor(t)
    cosine = torch.dot(start, end) / (start.norm() * end.norm())
    angle = math.acos(float(cosine.clamp(-1, 1)))
    if math.sin(angle) <= 1e-3:  # parallel vectors have no unique arc between them
        return torch.lerp(start, end, share)
    start_weight = math.sin((1 - share) * angle)
    end_weight = math.sin(share * angle)
    return (start_weight * start + end_weight * end) / math.sin(angle)


def circle(z: Tensor, noise: Tensor, spread: float, count: int) -> Iterator[Tensor]:
    """`count` points (latent_dim,) of a circle around z, in the plane of noise (2, latent_dim).

    Every point is as near to z as a picture of `Sampler.near` with the same spread.
    """
    for number in range(count):
        angle = 2 * math.pi * number / count
        direction = math.cos(angle) * noise[0] + math.sin(angle) * noise[1]
        yield mix_z(z, direction, spread)


def film_frames(
    sampler: Sampler,
    points: Iterable[Tensor],
    size: int = 0,
    labels: Iterable[Tensor] | None = None,
) -> Iterator[Image.Image]:
    """The pictures of these z (latent_dim,) in RGB, one by one; `size` is as in `resize`.

    `labels`: with class labels, the class of each, (), or its shares of all classes,
    (num_classes,). Transparent pictures lie on a checkerboard.
    """
    batches_of_labels = (
        itertools.repeat(None) if labels is None else batched(labels, FRAMES_AT_ONCE)
    )
    for batch, batch_labels in zip(
        batched(points, FRAMES_AT_ONCE), batches_of_labels, strict=False
    ):
        stacked = None if batch_labels is None else torch.stack(batch_labels)
        for frame in sampler.frames(torch.stack(batch), stacked):
            picture = resize(Image.fromarray(frame), size, sampler.run.resample)
            yield on_checkerboard(picture)


def batched(points: Iterable[Tensor], count: int) -> Iterator[list[Tensor]]:
    """The points in lists of `count`; the last list may be shorter."""
    points = iter(points)
    while batch := list(itertools.islice(points, count)):
        yield batch
