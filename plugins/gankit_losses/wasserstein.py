"""The Wasserstein loss (Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875)."""

from torch import Tensor

from gankit import Loss, Targets


class Wasserstein(Loss):
    """Critic: D(G(z)) - D(x); G: -D(G(z)).

    This estimates a distance only if D's gradient is bounded: add spectral-norm or another bound,
    and let D take several steps (the paper: --d-steps 5).
    """

    separable = True

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return fake.mean() - real.mean()

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return -fake.mean()

    def score(self, logits: Tensor) -> Tensor:
        return logits
