"""The loss and the trick. gankit imports this only when a run uses one of them."""

from torch import Tensor
from torch.nn.functional import relu

from gankit import Gan, Loss, Player, Targets, Trick


class HingeMargin(Loss):
    """D: max(0, margin - D(x)) + max(0, margin + D(G(z))); G: -D(G(z))."""

    def __init__(self, margin: float = 1.0) -> None:
        if margin <= 0:
            raise ValueError("margin must be greater than 0")
        self.margin = margin

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        return relu(self.margin - real).mean() + relu(self.margin + fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        return -fake.mean()

    def score(self, logits: Tensor) -> Tensor:
        return logits  # not a probability, so the log shows it as it is


class Drift(Trick):
    """Adds epsilon * E[D(x)^2] to D's loss.

    The hinge and Wasserstein losses do not keep D's logits near 0 by themselves.
    """

    def __init__(self, epsilon: float = 0.001) -> None:
        self.epsilon = epsilon
        self.last: Tensor | None = None  # the mean square, until the log has shown it

    def penalty(self, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> Tensor | None:
        if player is not gan.D:
            return None
        square = gan.judge(real).square().mean()
        self.last = square.detach()
        return self.epsilon * square

    def activity(self) -> str | None:
        if self.last is None:
            return None
        text = f"D(x)^2 {float(self.last):.2f}"
        self.last = None
        return text
