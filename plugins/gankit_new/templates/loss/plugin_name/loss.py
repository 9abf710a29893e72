"""The loss itself."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gankit import Loss, Targets


class PluginName(Loss):
    """Cross-entropy; a larger scale lets D be sure with smaller logits.

    scale: the factor of the logits.
    """

    reads_targets = True  # d_loss uses targets, so tricks may change them
    separable = True  # d_loss is a term for the reals plus a term for the fakes

    def __init__(self, scale: float = 1.0) -> None:  # a parameter with a default is an option
        if scale <= 0:
            raise ValueError("scale must be above 0")
        self.scale = scale

    # logits (N,) and targets (N,): return one number, which D minimises
    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        real_loss = binary_cross_entropy_with_logits(self.scale * real, targets.real)
        fake_loss = binary_cross_entropy_with_logits(self.scale * fake, targets.fake)
        return real_loss + fake_loss

    # D's logits for G's fakes: return one number, which G minimises
    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return binary_cross_entropy_with_logits(self.scale * fake, torch.ones_like(fake))
