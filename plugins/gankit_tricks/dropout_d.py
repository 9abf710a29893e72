"""Dropout on D's input (MathWorks' "Train GAN" example)."""

import torch

from gankit import Trick


class DropoutD(Trick):
    """Drops numbers of every picture that D sees, real and fake alike.

    D must not rely on single pixels. The rest is scaled by 1 / (1 - p), as dropout does
    (Srivastava et al. 2014). Helps when D learns the training pictures by heart. It never fades, so
    much of the fine detail stays hidden from D to the end of the run.

    p: the probability that a number (one channel of one pixel) is dropped.
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p < 1:
            raise ValueError("p must be 0 or more and less than 1")
        self.p = p
        self.acted = False

    def d_input(self, images, gan):
        if self.p == 0:
            return images
        self.acted = True
        kept = torch.empty_like(images).bernoulli_(1 - self.p, generator=gan.draw("dropout-d"))
        return images * kept / (1 - self.p)

    def activity(self):
        acted, self.acted = self.acted, False
        return f"dropped {100 * self.p:g} % of D's input" if acted else None
