"""Noisy labels (Chollet 2019, the DCGAN example of Keras)."""

import torch

from gankit import Targets, Trick


class NoisyLabels(Trick):
    """Subtracts a small random number from each target: t - amount * U(0, 1).

    Noise on the targets keeps D from becoming too sure. In Keras' example real is 0 and fake is 1,
    and the noise is added; here real is 1 and fake is 0, so the noise is subtracted. Targets for
    reals then lie in [0.95, 1], which is random label smoothing; targets for fakes lie in
    [-0.05, 0], which no probability can reach, so D keeps pushing its logits for fakes down. If the
    logits grow without end, use `which=real`.

    amount: the largest number that is subtracted.
    which: `both` (the published way), `real` or `fake`.
    """

    def __init__(self, amount: float = 0.05, which: str = "both") -> None:
        if not 0 <= amount <= 1 or which not in ("real", "fake", "both"):
            raise ValueError("amount must be from 0 to 1, which must be real, fake or both")
        self.amount = amount
        self.which = which
        self.acted = False

    def targets(self, targets, gan):
        if self.amount == 0:
            return targets
        self.acted = True
        real, fake = targets
        if self.which != "fake":
            real = self._add_noise(real, gan)
        if self.which != "real":
            fake = self._add_noise(fake, gan)
        return Targets(real, fake)

    def _add_noise(self, targets, gan):
        draw = gan.draw("noisy-labels")
        noise = torch.rand(targets.shape, generator=draw, device=targets.device)
        return targets - self.amount * noise

    def activity(self):
        acted = self.acted
        self.acted = False
        whose = "all" if self.which == "both" else self.which
        return f"subtracted up to {self.amount:g} from {whose} targets" if acted else None
