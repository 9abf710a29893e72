"""The hinge loss (Lim & Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957)."""

from torch import Tensor
from torch.nn.functional import relu

from gankit import Loss, Targets


class Hinge(Loss):
    """D: max(0, 1 - D(x)) + max(0, 1 + D(G(z))); G: -D(G(z)).

    D gets no gradient from images that it judges right by a margin of 1 or more.
    """

    separable = True

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return -fake.mean()
