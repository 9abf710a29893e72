"""Gradient penalty of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028)."""

from typing import ClassVar

import torch

from gankit import Trick
from gankit_tricks.slope import gradient


class WGANGP(Trick):
    """Adds weight * E (|grad D(x)| - 1)^2 between real and fake pictures to D's loss.

    The best critic of a Wasserstein loss has slope 1 along the lines between the two; too steep
    and too flat both cost. In the paper: `--loss wasserstein --d-steps 5 --lr-g 1e-4 --lr-d 1e-4
    --beta1 0 --beta2 0.9`. Slow, since each of D's steps pays for a second backward pass. A D with
    batch norm is at odds with it: the slope at one picture then depends on its neighbours, so the
    paper's D has none.

    weight: lambda in the paper.
    """

    excludes: ClassVar = {
        "weight-clipping": "D with clipped weights does not reach the slope that wgan-gp asks for"
    }

    def __init__(self, weight: float = 10.0) -> None:
        if weight < 0:
            raise ValueError("weight must be 0 or more")
        self.weight, self.wanted = weight, 1.0
        self.slope = None

    def _where(self, gan, real, fake):
        draw = gan.draw("wgan-gp")
        share = torch.rand(len(real), 1, 1, 1, generator=draw, device=real.device)
        return share * real + (1 - share) * fake  # anywhere on the line between the two

    def penalty(self, gan, player, real, fake):
        if player is not gan.D or self.weight == 0:
            return None
        slope = gradient(gan, self._where(gan, real, fake))
        slope = torch.linalg.vector_norm(slope, dim=(1, 2, 3))  # |grad D(x)|, one for each picture
        self.slope = slope.detach().mean()
        return self.weight * (slope - self.wanted).square().mean()

    def activity(self):
        slope, self.slope = self.slope, None
        return None if slope is None else f"mean slope {float(slope):.3g}; asks for {self.wanted:g}"
