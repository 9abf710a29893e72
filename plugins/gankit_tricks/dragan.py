"""DRAGAN's gradient penalty (Kodali et al. 2017, arXiv 1705.07215)."""

from typing import ClassVar

import torch

from gankit_tricks.wgan_gp import WGANGP


class DRAGAN(WGANGP):
    """Adds weight * E (|grad D(x)| - k)^2 around real pictures to D's loss.

    Sharp slopes close to the data let G fall into one mode; here D has to rise evenly around them.
    Needs no Wasserstein loss and no further D steps. Like wgan-gp it wants a D without batch norm,
    and it costs a second backward pass.

    weight: lambda in the paper.
    k: the slope that is asked for.
    """

    excludes: ClassVar = {
        "weight-clipping": "D with clipped weights does not reach the slope that dragan asks for",
        "r1": "at real pictures r1 asks D for slope 0, dragan for slope k",
    }

    def __init__(self, weight: float = 10.0, k: float = 1.0) -> None:
        super().__init__(weight)
        if k < 0:
            raise ValueError("k must be 0 or more")
        self.wanted = k

    def _where(self, gan, real, fake):
        draw = gan.draw("dragan")
        noise = torch.rand(real.shape, generator=draw, device=real.device)  # one for each number
        share = torch.rand(len(real), 1, 1, 1, generator=draw, device=real.device)
        away = 0.5 * real.std(correction=0) * noise
        return real + share * away  # anywhere on the way there, as in the paper's code
