"""The non-saturating loss (Goodfellow et al. 2014, arXiv 1406.2661, section 3)."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gankit import Loss, Targets


class NonSaturating(Loss):
    """D: -[t log D(x) + (1 - t) log(1 - D(x))] for real and fake; G: -log D(G(z)).

    D(x) = sigmoid(logit). G's gradient stays large when D is sure that fakes are fake: hence the
    name.
    """

    reads_targets = True
    separable = True

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return bce(real, targets.real) + bce(fake, targets.fake)

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return bce(fake, fake.new_ones(fake.shape))
