"""Label flipping (MathWorks' "Train GAN" example; ganhacks 6)."""

import torch

from gankit import Targets, Trick


class FlipLabels(Trick):
    """Tells D the opposite of the truth for some pictures.

    With some wrong targets D cannot become too sure. This costs no time; try it when D's loss falls
    to 0. The larger p, the less D's answers for reals and fakes differ, and the less G learns from
    them; at p = 1 D calls everything fake.

    p: the probability that a picture's target is flipped.
    which: `real` (the published way), `fake` or `both`.
    """

    def __init__(self, p: float = 0.35, which: str = "real") -> None:
        if not 0 <= p <= 1 or which not in ("real", "fake", "both"):
            raise ValueError("p must be from 0 to 1, which must be real, fake or both")
        self.p = p
        self.which = which
        self.flipped: torch.Tensor | int = 0
        self.judged = 0

    def targets(self, targets, gan):
        real, fake = targets
        if self.which != "fake":
            real = self._flip(real, gan)
        if self.which != "real":
            fake = self._flip(fake, gan)
        return Targets(real, fake)

    def _flip(self, targets, gan):
        draw = gan.draw("flip-labels")
        is_flipped = torch.rand(targets.shape, generator=draw, device=targets.device) < self.p
        # A tensor: the step does not wait for the device until the number is logged.
        self.flipped = self.flipped + is_flipped.sum()
        self.judged += len(targets)
        return torch.where(is_flipped, 1 - targets, targets)

    def activity(self):
        share = float(self.flipped) / max(self.judged, 1)
        self.flipped = 0
        self.judged = 0
        whose = "all" if self.which == "both" else self.which
        text = f"flipped {100 * share:.1f} % of {whose} targets"
        return {"flipped": share, "text": text} if share else None
