"""The search for z: from the best of many random ones, first with Adam, then with L-BFGS.

Adam finds its way from a distance. L-BFGS, which estimates curvature, comes nearer in the end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

LEARNING_RATE = 0.2  # of Adam at the start; it falls to 0 along a cosine
NORM_MARGIN = 1.5  # about two standard deviations of the norm of a Gaussian z
HALVINGS = (0.2, 0.4, 0.6)  # of the search, after which only the better half of the starts goes on
BATCH_SIZE = 8  # pictures at once, because each needs memory for its gradients

Embed = Callable[[Tensor], Tensor]  # z (N, latent_dim) -> places of G's pictures (N, d)


class Way(NamedTuple):
    """What one search has found."""

    z: Tensor  # (latent_dim,), the best one
    distance: float  # of its picture from the target
    visited: Tensor  # (n, latent_dim): from the start to the best z


@torch.no_grad()
def distances_from(embed: Embed, z: Tensor, targets: Tensor) -> Tensor:
    """(N, M): the distance of the picture of each z from each target (M, d)."""
    return torch.cdist(embed(z), targets)


def search(
    embed: Embed,
    targets: Tensor,
    starts: Tensor,
    steps: int,
    progress: Callable[[int], None],
    *,
    halves: bool = False,
) -> tuple[list[Way], bool]:
    """Descend from each start (N, latent_dim) to its target (N, d): N ways, and whether it ended.

    With `halves`, starts that fall behind are given up. Ctrl-C ends the search early. `progress`
    gets the number of steps that are done.
    """
    z = starts.clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr=LEARNING_RATE)
    active = torch.arange(len(z))
    # Distances (N,) and z (N, latent_dim) at each step; infinite for a start that was given up.
    history: list[tuple[Tensor, Tensor]] = []
    is_complete = False
    try:
        for step in range(steps + 1):
            optimizer.zero_grad()
            current = _add_gradients(embed, targets, z, active)
            history.append((current, z.detach().clone()))
            if halves and step in [int(part * steps) for part in HALVINGS]:
                active = current.argsort()[: max(1, len(active) // 2)]
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * _cosine(step / steps)
            optimizer.step()
            with torch.no_grad():
                z.copy_(bound_norm(z))
            progress(step)
        is_complete = True
    except KeyboardInterrupt:
        if not history:
            raise
    distances, visited = zip(*history, strict=True)
    return _ways(torch.stack(distances), torch.stack(visited)), is_complete


def _add_gradients(embed: Embed, targets: Tensor, z: Tensor, active: Tensor) -> Tensor:
    """The distances (N,) of the active rows, infinite for others; adds their gradients to z's."""
    distances = torch.full((len(z),), math.inf)
    for rows in torch.split(active, BATCH_SIZE):
        distance = (embed(z[rows]) - targets[rows]).norm(dim=1)
        distance.sum().backward()
        distances[rows] = distance.detach()
    return distances


def _ways(distances: Tensor, visited: Tensor) -> list[Way]:
    """From distances (steps, N) and z (steps, N, latent_dim), the best z of each start."""
    best, steps = distances.min(dim=0)
    return [
        Way(visited[step, row], float(best[row]), visited[: step + 1, row])
        for row, step in enumerate(steps.tolist())
    ]


def refine(
    embed: Embed, target: Tensor, way: Way, steps: int, progress: Callable[[int], None]
) -> tuple[Way, bool]:
    """Go on from the best z of a way to its target (d,), and whether it ended; see `search`."""
    z = way.z[None].clone().requires_grad_()
    best = [(way.distance, way.z)]  # each nearer than the one before
    counter = itertools.count(1)
    optimizer = torch.optim.LBFGS(
        [z], max_iter=steps, max_eval=steps, history_size=20, line_search_fn="strong_wolfe"
    )

    def evaluate() -> float:
        optimizer.zero_grad()
        bounded = bound_norm(z)
        loss: Tensor = (embed(bounded) - target).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        distance = math.sqrt(loss.item())
        if distance < best[-1][0]:
            best.append((distance, bounded.detach()[0]))
        progress(next(counter))
        return loss.item()

    is_complete = False
    try:
        optimizer.step(evaluate)  # type: ignore[no-untyped-call]
        is_complete = True
    except KeyboardInterrupt:
        pass
    distance, nearest = best[-1]
    further = [z for _, z in best[1:]]
    return Way(nearest, distance, torch.stack([*way.visited, *further])), is_complete


def bound_norm(z: Tensor) -> Tensor:
    """z (N, latent_dim) where G was trained: Gaussian z have norms near sqrt(latent_dim)."""
    norms: Tensor = z.norm(dim=1, keepdim=True).clamp(min=1e-12)
    typical = math.sqrt(z.shape[1])
    bounded: Tensor = norms.clamp(max(0.0, typical - NORM_MARGIN), typical + NORM_MARGIN)
    return z * (bounded / norms)


def spread_along(visited: Tensor, count: int) -> Tensor:
    """`count` of the z (n, latent_dim), evenly spread by the length of the way; both ends too."""
    lengths = (visited[1:] - visited[:-1]).norm(dim=1).cumsum(0)
    lengths = torch.cat([torch.zeros(1), lengths])
    places = torch.searchsorted(lengths, torch.linspace(0, float(lengths[-1]), count))
    return visited[places.clamp(max=len(visited) - 1)]


def _cosine(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2
