"""The loss of each picture, which a Loss gives only as a mean over the batch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gankit.core.contracts.loss import Loss
from gankit.core.contracts.trick import Targets

CLOSE = 1e-4  # relative difference of two sums that differ by rounding
LOWEST = -50.0  # a logit at which D is sure that a picture is fake


class DLosses(NamedTuple):
    """D's loss for each picture."""

    real: Tensor  # (N,)
    fake: Tensor  # (N,)
    are_pairs: bool  # both are the loss of the pair of real i and fake i


def d_losses(loss: Loss, real: Tensor, fake: Tensor, targets: Targets) -> DLosses | None:
    """D's loss for each real and each fake, from their logits (N,); None if it cannot be split.

    It can be split if the loss of the batch is the mean of the losses of pairs. A `separable` loss
    of a pair is a term of the real plus a term of the fake. The term of the real is what the pair
    costs if D gives the best logit to the fake, which costs nothing.
    """
    if not len(real) == len(fake) == len(targets.real) == len(targets.fake):
        return None
    pairs = _each(loss, real, fake, targets)
    if pairs is None or not _is_mean(pairs, loss.d_loss(real, fake, targets)):
        return None
    if not loss.separable:
        return DLosses(pairs, pairs, True)
    judged_well = torch.full_like(fake, _best_logit_of_a_fake(loss, real[:1]))
    reals = _each(loss, real, judged_well, Targets(targets.real, torch.zeros_like(fake)))
    return None if reals is None else DLosses(reals, pairs - reals, False)


def g_losses(loss: Loss, fake: Tensor, real: Tensor | None) -> Tensor | None:
    """G's loss for each fake (N,), from D's logits (N,); None if it cannot be split."""
    try:
        rows = [
            loss.g_loss(fake[i : i + 1], None if real is None else real[i : i + 1])
            for i in range(len(fake))
        ]
        each = torch.stack(rows)
        whole = loss.g_loss(fake, real)
    except Exception:  # a loss of a plugin may need more than one picture
        return None
    return each if _is_mean(each, whole) else None


def _each(loss: Loss, real: Tensor, fake: Tensor, targets: Targets) -> Tensor | None:
    """The loss of each pair of a real and a fake, (N,); None if the loss needs a whole batch."""
    rows = []
    for i in range(len(real)):
        one_each = Targets(targets.real[i : i + 1], targets.fake[i : i + 1])
        try:
            rows.append(loss.d_loss(real[i : i + 1], fake[i : i + 1], one_each))
        except Exception:  # a loss of a plugin may need more than one picture
            return None
    return torch.stack(rows)


def _is_mean(each: Tensor, whole: Tensor) -> bool:
    if each.ndim != 1 or whole.ndim:
        return False
    tolerance = CLOSE * float(each.abs().mean()) + 1e-6
    return abs(float(each.mean() - whole)) <= tolerance


def _best_logit_of_a_fake(loss: Loss, real: Tensor) -> float:
    """The logit for which a fake costs least; 0 if the loss falls for ever, as Wasserstein's."""
    zero = torch.zeros_like(real)
    ones = Targets(torch.ones_like(real), zero)
    logits = torch.linspace(LOWEST, -LOWEST, 101).to(real)
    costs = torch.stack([loss.d_loss(real, logit.reshape(1), ones) for logit in logits])
    lowest = int(costs.argmin())
    falls_for_ever = lowest == 0 and float(costs[1] - costs[0]) > 1e-3
    return 0.0 if falls_for_ever else float(logits[lowest])
