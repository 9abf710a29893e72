"""Statistics of rows of features that a look computes; all take and return tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def auc(positive: Tensor, negative: Tensor) -> Tensor:
    """The chance that a score of `positive` (N,) is above one of `negative` (M,); ties count half.

    0.5 if the two cannot be told apart, 1 if every positive score is higher. A tensor ().
    """
    above = (positive[:, None] > negative[None]).float().mean()
    equal = (positive[:, None] == negative[None]).float().mean()
    return above + equal / 2


def separation(a: Tensor, b: Tensor) -> Tensor:
    """How well each feature tells rows (N, F) from (M, F): 2 AUC - 1, from -1 to 1; (F,)."""
    above = (a[:, None] > b[None]).float().mean(dim=(0, 1))
    return 2 * above - 1


def energy_distance(a: Tensor, b: Tensor, within_b: Tensor | None = None) -> Tensor:
    """How far two sets of rows (N, F) and (M, F) are apart: 0 if they are alike, at most 1.

    The energy distance of Szekely and Rizzo, unbiased, as a share of twice the mean distance
    between the sets. `within_b` is `mean_distance(b)`, if it is known. A tensor ().
    """
    between = torch.cdist(a, b).mean()
    inside = mean_distance(a) + (mean_distance(b) if within_b is None else within_b)
    return 1 - inside / (2 * between).clamp_min(1e-12)


def mean_distance(rows: Tensor) -> Tensor:
    """The mean distance between two different rows of (N, F); a tensor ()."""
    count = len(rows)
    return torch.cdist(rows, rows).sum() / max(1, count * (count - 1))


def nearest_distances(rows: Tensor) -> Tensor:
    """The distance of each row of (N, F) to the nearest other row; (N,)."""
    distances = torch.cdist(rows, rows)
    distances.fill_diagonal_(float("inf"))
    return distances.min(dim=1).values


def dimensions(rows: Tensor) -> Tensor:
    """In how many directions rows (N, F) vary: the participation ratio of the variances.

    A tensor (). 1 for rows on a line.
    """
    centred = rows - rows.mean(dim=0)
    products = centred @ centred.T  # has the same eigenvalues as the covariance, and N < F
    return products.diagonal().sum() ** 2 / products.square().sum().clamp_min(1e-20)


def clusters(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """The centres (count, F) of k-means on rows (N, F)."""
    order = torch.randperm(len(rows), generator=generator)[:count]
    centres = rows[order.to(rows.device)]
    for _ in range(10):
        nearest = torch.cdist(rows, centres).argmin(dim=1)
        for index in range(len(centres)):
            members = rows[nearest == index]
            if len(members):
                centres[index] = members.mean(dim=0)
    return centres


def shares(rows: Tensor, centres: Tensor) -> Tensor:
    """The share of rows (N, F) that is nearest to each of the centres (K, F); (K,)."""
    nearest = torch.cdist(rows, centres).argmin(dim=1)
    return torch.bincount(nearest, minlength=len(centres)) / len(rows)
