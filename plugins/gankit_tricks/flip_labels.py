"""Label flipping (MathWorks' "Train GAN" example; ganhacks 6)."""

import torch

from gankit import Targets, Trick


class FlipLabels(Trick):
    """Tells D the opposite of the truth for some pictures.

    A D that is lied to now and then cannot grow too sure. Cheap; helps when D's loss falls to 0.
    The larger p, the less D's answers to real and fake differ, and the less G learns from them; at
    p = 1 D calls everything fake.

    p: the probability that a picture's target is flipped.
    which: `real` (the published way), `fake` or `both`.
    """

    def __init__(self, p: float = 0.35, which: str = "real") -> None:
        if not 0 <= p <= 1 or which not in ("real", "fake", "both"):
            raise ValueError("p lies between 0 and 1; which is real, fake or both")
        self.p, self.which = p, which
        self.flipped: torch.Tensor | int = 0
        self.seen = 0

    def targets(self, targets, gan):
        real, fake = targets
        if self.which != "fake":
            real = self._flip(real, gan)
        if self.which != "real":
            fake = self._flip(fake, gan)
        return Targets(real, fake)

    def _flip(self, targets, gan):
        lies = torch.rand(targets.shape, generator=gan.draw("flip-labels"), device=targets.device)
        lies = lies < self.p
        self.flipped = self.flipped + lies.sum()  # a tensor: read only when the log asks
        self.seen += len(targets)
        return torch.where(lies, 1 - targets, targets)

    def activity(self):
        share = 100 * float(self.flipped) / max(self.seen, 1)
        self.flipped, self.seen = 0, 0
        whose = "all" if self.which == "both" else self.which
        return f"flipped {share:.1f} % of {whose} targets" if share else None
