"""The original two-player game (Goodfellow et al. 2014, arXiv 1406.2661, equation 1)."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import logsigmoid

from gankit import Loss, Targets


class Minimax(Loss):
    """D: -[t log D(x) + (1 - t) log(1 - D(x))]; G: log(1 - D(G(z))), the negative of D's loss.

    When D is sure that fakes are fake, this loss is flat and G learns nothing. Compare it with
    `non-saturating`, which replaced it.
    """

    reads_targets = True
    separable = True

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return bce(real, targets.real) + bce(fake, targets.fake)

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return logsigmoid(-fake).mean()  # log(1 - sigmoid(x)) = logsigmoid(-x)
