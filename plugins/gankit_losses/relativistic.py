"""The relativistic pairing loss (Jolicoeur-Martineau 2018, arXiv 1807.00734; R3GAN 2025)."""

from torch import Tensor
from torch.nn.functional import softplus

from gankit import Loss, Targets


class Relativistic(Loss):
    """D: softplus(-(D(x) - D(G(z)))); G: softplus(-(D(G(z)) - D(x))), over pairs of real and fake.

    D only tells which picture of a pair is real, so G gets a gradient at once if it drops a mode
    (Huang et al. 2025, arXiv 2501.05441).
    """

    pairs = True

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return softplus(fake - real).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        assert real is not None  # because this loss pairs
        return softplus(real - fake).mean()
