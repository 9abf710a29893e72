"""LSGAN (Mao et al. 2016, arXiv 1611.04076, with a=0, b=1, c=1)."""

from torch import Tensor

from gankit import Loss, Targets


class LeastSquares(Loss):
    """D: 1/2 (D(x) - t)^2 for real and fake; G: 1/2 (D(G(z)) - 1)^2.

    D(x) is the logit itself, not a probability. The further a logit is from its target, the larger
    its gradient, where that of cross-entropy vanishes.
    """

    reads_targets = True
    separable = True

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return ((real - targets.real).square() + (fake - targets.fake).square()).mean() / 2

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return (fake - 1).square().mean() / 2

    def score(self, logits: Tensor) -> Tensor:
        return logits
