"""Dropout on D's input (MathWorks' "Train GAN" example)."""

import torch

from gankit import Trick


class DropoutD(Trick):
    """Sets random numbers of each picture that D sees to 0, in reals and fakes alike.

    D cannot rely on single pixels. The numbers that stay are scaled by 1 / (1 - p), as in dropout
    (Srivastava et al. 2014). Try it when D memorises the training pictures. It does not fade, so
    D sees little fine detail until the end of the run.

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
        acted = self.acted
        self.acted = False
        return f"dropped {100 * self.p:g} % of D's input" if acted else None
