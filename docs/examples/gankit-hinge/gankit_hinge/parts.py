"""The parts themselves; gankit imports this only when a run asks for one of them."""

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
        return logits  # no probability


class Drift(Trick):
    """Adds epsilon * E[D(x)^2] to D's loss: hinge and Wasserstein bound no logit by themselves."""

    def __init__(self, epsilon: float = 0.001) -> None:
        self.epsilon = epsilon
        self.last: Tensor | None = None  # the mean square that the log has not shown yet

    def penalty(self, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> Tensor | None:
        if player is not gan.D:
            return None
        square = gan.judge(real).square().mean()
        self.last = square.detach()
        return self.epsilon * square

    def activity(self) -> str | None:
        last, self.last = self.last, None
        return None if last is None else f"D(x)^2 {float(last):.2f}"
