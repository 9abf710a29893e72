"""DRAGAN's gradient penalty (Kodali et al. 2017, arXiv 1705.07215)."""

from typing import ClassVar

import torch

from gankit_tricks.wgan_gp import WGANGP


class DRAGAN(WGANGP):
    """Adds weight * E (|grad D(x)| - k)^2 around real pictures to D's loss.

    Where D's gradient is sharp close to the data, G tends to collapse to a few modes; this penalty
    makes D change evenly around the data. It needs neither the Wasserstein loss nor more D steps.
    Like wgan-gp it works best if D has no batch norm, and it costs a second backward pass.

    weight: lambda in the paper.
    k: the gradient norm to reach.
    """

    excludes: ClassVar = {
        "weight-clipping": "clipped weights cannot reach the gradient norm that dragan wants",
        "r1": "at real pictures r1 wants gradient norm 0, dragan wants k",
    }

    def __init__(self, weight: float = 10.0, k: float = 1.0) -> None:
        super().__init__(weight)
        if k < 0:
            raise ValueError("k must be 0 or more")
        self.target_norm = k

    def _penalised_images(self, gan, real, fake):
        draw = gan.draw("dragan")
        # Every pixel and channel has its own noise.
        noise = torch.rand(real.shape, generator=draw, device=real.device)
        share = torch.rand(len(real), 1, 1, 1, generator=draw, device=real.device)
        perturbation = 0.5 * real.std(correction=0) * noise
        return real + share * perturbation  # a random point on the way, as in the paper's code
