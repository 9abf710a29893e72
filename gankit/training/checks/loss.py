"""Check a loss that does not come with gankit, before the run's folder is made."""

from __future__ import annotations

import torch
from torch import Tensor

from gankit.core.contracts.loss import Loss
from gankit.core.contracts.trick import Targets
from gankit.training.checks.returns import require_scalar, require_tensor


def compute_d_loss(loss: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """D's loss with the targets 1 and 0."""
    return loss.d_loss(real, fake, Targets(torch.ones_like(real), torch.zeros_like(fake)))


def compute_g_loss(loss: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """G's loss, called as in a step; ValueError if it needs the reals and gets none."""
    if loss.pairs:
        return loss.g_loss(fake, real)
    try:
        return loss.g_loss(fake, None)
    except Exception as error:  # of the loss's code
        if not _returns(loss, fake, real):
            raise
        what = "g_loss uses the logits of reals, but gets None in their place"
        raise ValueError(f"{what}: set pairs = True in the class") from error


def _returns(loss: Loss, fake: Tensor, real: Tensor) -> bool:
    """Whether g_loss works if it gets the logits of reals."""
    try:
        loss.g_loss(fake, real)
    except Exception:  # of the loss's code
        return False
    return True


def require_valid_loss(loss: Loss) -> None:
    """ValueError unless a loss returns finite scalars with gradients."""
    real = torch.tensor([0.3, 2.0, -1.0], requires_grad=True)
    fake = torch.tensor([0.7, -3.0, 0.1], requires_grad=True)
    values = {
        "d_loss": compute_d_loss(loss, real, fake),
        "g_loss": compute_g_loss(loss, real, fake),
    }
    for name, value in values.items():
        if not require_scalar(name, value).requires_grad:
            raise ValueError(f"{name} has no gradient: do not detach logits")
    if loss.separable and not is_separable(loss, real, fake):
        raise ValueError("d_loss is not a sum over reals and fakes: set separable = False")
    scores = require_tensor("score", loss.score(real.detach()))
    if scores.shape != real.shape or not (scores.sort().indices == real.sort().indices).all():
        raise ValueError("score must return one number for each logit, larger for larger logits")


def is_separable(loss: Loss, real: Tensor, fake: Tensor) -> bool:
    """Whether the gradient of d_loss for the reals' logits does not depend on the fakes'."""
    values = [compute_d_loss(loss, real, logits) for logits in (fake, 1 - 2 * fake)]
    slopes = [torch.autograd.grad(value, real, allow_unused=True)[0] for value in values]
    if slopes[0] is None:
        raise ValueError("d_loss does not depend on the logits of reals")
    return torch.allclose(slopes[0], slopes[1])
