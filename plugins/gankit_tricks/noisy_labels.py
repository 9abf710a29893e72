"""Noisy labels (Chollet 2019, the DCGAN example of Keras)."""

import torch

from gankit import Targets, Trick


class NoisyLabels(Trick):
    """Takes a little random number off every target: t - amount * U(0, 1).

    Targets that tremble keep D from growing too sure. The example calls real 0 and fake 1 and adds
    the noise; with real 1 and fake 0, as here, the same noise is taken off. So real targets lie in
    [0.95, 1], a random smoothing, and fake ones in [-0.05, 0], below what any probability reaches:
    D is pulled further from fakes the surer it is. If its logits run away, take `which=real`.

    amount: the most that is taken off.
    which: `both` (the published way), `real` or `fake`.
    """

    def __init__(self, amount: float = 0.05, which: str = "both") -> None:
        if not 0 <= amount <= 1 or which not in ("real", "fake", "both"):
            raise ValueError("amount lies between 0 and 1; which is real, fake or both")
        self.amount, self.which = amount, which
        self.acted = False

    def targets(self, targets, gan):
        if self.amount == 0:
            return targets
        self.acted = True
        real, fake = targets
        if self.which != "fake":
            real = self._disturb(real, gan)
        if self.which != "real":
            fake = self._disturb(fake, gan)
        return Targets(real, fake)

    def _disturb(self, targets, gan):
        draw = gan.draw("noisy-labels")
        noise = torch.rand(targets.shape, generator=draw, device=targets.device)
        return targets - self.amount * noise

    def activity(self):
        acted, self.acted = self.acted, False
        whose = "all" if self.which == "both" else self.which
        return f"took up to {self.amount:g} off {whose} targets" if acted else None
