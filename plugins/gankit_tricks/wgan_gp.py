"""Gradient penalty of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028)."""

from typing import ClassVar

import torch

from gankit import Trick
from gankit_tricks.input_gradient import input_gradient


class WGANGP(Trick):
    """Adds weight * E (|grad D(x)| - 1)^2 between real and fake pictures to D's loss.

    The optimal critic of the Wasserstein loss has gradient norm 1 on the lines between reals and
    fakes; the penalty grows on both sides of 1. The paper's settings: `--loss wasserstein --d-steps
    5 --lr-g 1e-4 --lr-d 1e-4 --beta1 0 --beta2 0.9`. It is slow, because each of D's steps needs a
    second backward pass. Do not use batch norm in D: the gradient at one picture would then depend
    on the rest of its batch (the paper's D has none).

    weight: lambda in the paper.
    """

    excludes: ClassVar = {
        "weight-clipping": "clipped weights cannot reach the gradient norm that wgan-gp wants"
    }

    def __init__(self, weight: float = 10.0) -> None:
        if weight < 0:
            raise ValueError("weight must be 0 or more")
        self.weight = weight
        self.target_norm = 1.0
        self.norm = None

    def _penalised_images(self, gan, real, fake):
        draw = gan.draw("wgan-gp")
        share = torch.rand(len(real), 1, 1, 1, generator=draw, device=real.device)
        return share * real + (1 - share) * fake  # a random point on the line between the two

    def penalty(self, gan, player, real, fake):
        if player is not gan.D or self.weight == 0:
            return None
        gradient = input_gradient(gan, self._penalised_images(gan, real, fake))
        norm = torch.linalg.vector_norm(gradient, dim=(1, 2, 3))  # |grad D(x)|, (N,)
        self.norm = norm.detach().mean()
        return self.weight * (norm - self.target_norm).square().mean()

    def activity(self):
        norm = self.norm
        self.norm = None
        if norm is None:
            return None
        text = f"mean gradient norm {float(norm):.3g}, wanted: {self.target_norm:g}"
        return {"gradient_norm": norm, "text": text}
